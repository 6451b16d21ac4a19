package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"plumbline/internal/nearest"
	"plumbline/internal/report"
)

// exit carries a code out of a command that has said all there is to say.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// usageError is an error of flags, arguments or the files that they name:
// nothing was judged.
type usageError struct{ err error }

func (e usageError) Error() string   { return e.err.Error() }
func (e usageError) Unwrap() []error { return []error{e.err} } // several, so that problemsOf takes it apart

func usagef(format string, a ...any) error { return usageError{fmt.Errorf(format, a...)} }

// complain prints an error for a person: one problem on the line of the
// program's name, several as a list below it.
func complain(w io.Writer, err error) {
	problems := problemsOf(err)
	if len(problems) == 1 {
		fmt.Fprintf(w, "plumbline: %s\n", problems[0])
		return
	}
	fmt.Fprintf(w, "plumbline: %d problems\n", len(problems))
	for _, p := range problems {
		fmt.Fprintf(w, "  %s\n", strings.ReplaceAll(p, "\n", "\n    "))
	}
}

// problemsOf takes joined errors apart into the texts of the problems, each once.
func problemsOf(err error) []string {
	var out []string
	var walk func(error)
	walk = func(err error) {
		if joined, ok := err.(interface{ Unwrap() []error }); ok && onlyJoins(err, joined.Unwrap()) {
			for _, e := range joined.Unwrap() {
				walk(e)
			}
			return
		}
		lines := strings.Split(strings.TrimSuffix(strings.TrimPrefix(err.Error(), "plumbline: "), "."), "\n")
		for i := range lines {
			lines[i] = report.Plain(lines[i]) // it may quote a template or a path
		}
		text := strings.Join(lines, "\n")
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	walk(err)
	return out
}

// onlyJoins reports whether an error says what its parts say, one a line, and
// nothing of its own: an fmt.Errorf that wraps two is one problem.
func onlyJoins(err error, parts []error) bool {
	var lines []string
	for _, p := range parts {
		lines = append(lines, p.Error())
	}
	return err.Error() == strings.Join(lines, "\n")
}

// fileProblem says why a file or folder that a flag names cannot be used,
// without the system call, and names the nearest one that is there.
func fileProblem(flag, path string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return usagef("%s %q: %s", flag, path, cause(err))
	}
	dir, name := filepath.Split(path)
	look := dir
	if look == "" {
		look = "."
	}
	entries, listing := os.ReadDir(look)
	if errors.Is(listing, fs.ErrNotExist) {
		return usagef("%s %q: there is no folder %q", flag, path, filepath.Clean(dir))
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if near := nearest.Of(name, names); near != "" {
		return usagef("%s %q does not exist. did you mean %q?", flag, path, dir+near)
	}
	return usagef("%s %q does not exist", flag, path)
}

// cause is an error of the file system without the call and the path, which
// the reader sees beside it.
func cause(err error) string {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.Is(err, syscall.EROFS):
		return "the file system is read-only"
	case errors.Is(err, syscall.ENOSPC):
		return "no space left on the device"
	case errors.As(err, &path):
		return path.Err.Error()
	case errors.As(err, &link):
		return link.Err.Error()
	}
	return err.Error()
}

// writable checks before any work that a file can be made in a folder, which
// is made where it is missing. A full disk is let pass: what is judged can be
// told all the same, and that it could not be kept.
func writable(flag, dir string) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return usagef("%s %q is a file. give a folder", flag, dir)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil && !errors.Is(err, syscall.ENOSPC) {
		return usagef("%s %q cannot be made: %s. give a folder that you may write to", flag, dir, cause(err))
	}
	if err := probe(dir); err != nil && !errors.Is(err, syscall.ENOSPC) {
		return usagef("%s %q cannot be written to: %s. give a folder that you may write to", flag, dir, cause(err))
	}
	return nil
}

// probe makes a file in a folder and takes it away again.
func probe(dir string) error {
	f, err := os.CreateTemp(dir, ".plumbline-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// outputFile checks before any work that the file a flag names can be made.
func outputFile(flag, path string) error {
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return usagef("%s %q is a folder. name a file in it, such as %q", flag, path, filepath.Join(path, "report"))
	}
	if err == nil && !info.Mode().IsRegular() {
		return nil // a device or a pipe, written to as it is
	}
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil {
		return usagef("%s %q: there is no folder %q", flag, path, dir)
	} else if !info.IsDir() {
		return usagef("%s %q: %q is a file, not a folder", flag, path, dir)
	}
	if err := probe(dir); err != nil {
		return usagef("%s %q: cannot write to folder %q: %s", flag, path, dir, cause(err))
	}
	return nil
}

// writeFile writes a file whole or not at all: beside it first, then in its
// place. A device or pipe is written to as it is.
func writeFile(path string, write func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("write %q: %s", path, cause(err))
		}
		if err := errors.Join(write(f), f.Close()); err != nil {
			return fmt.Errorf("write %q: %s", path, cause(err))
		}
		return nil
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".plumbline-*")
	if err != nil {
		return fmt.Errorf("write %q: %s", path, cause(err))
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already where all went well
	err = errors.Join(write(tmp), tmp.Close())
	if err == nil {
		err = os.Chmod(tmp.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %q: %s", path, cause(err))
	}
	return nil
}
