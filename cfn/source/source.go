// Package source finds the templates that the paths on a command line stand
// for: files, folders, CDK cloud assemblies with the stacks that they deploy,
// and standard input. It opens files, but judges nothing; what is found is read
// again when it is scanned.
package source

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"plumbline/cfn"
	"plumbline/internal/nearest"
)

// Stdin is the path that stands for standard input.
const Stdin = "-"

// Template is one template to scan. Stack, Account and Region are empty where
// they are not known; a cloud assembly names them.
type Template struct {
	Path    string // as given, or the folder as given with what was found below it
	Stack   string // a nested stack's is its parent's, "-", and its logical id, as CloudFormation's begins
	Account string // 12 digits
	Region  string // us-east-1
	// Source is the text of standard input or another stream, which can be read
	// only once. Nil: it is read from Path.
	Source []byte
	// Failed is why the template cannot be read ("permission denied"): it is an
	// outcome of the scan, at the place of the template. Empty: it can be.
	Failed string
}

// Skipped is a file that was found and left out.
type Skipped struct {
	Path   string
	Reason string // such as "no Resources section"
}

// Listing is what was found, each part sorted by path. No file stands in it twice.
type Listing struct {
	Templates []Template
	Skipped   []Skipped
}

// Find lists the templates that paths stand for. A file that is named is
// always listed, whatever it holds; in a folder only what looks like a template
// is. A path may be given twice, or lie in a folder that is given too: the
// listing has it once.
//
// The error joins what is wrong with the paths themselves: one that names
// nothing, a folder without a template. The listing beside it holds what the
// other paths gave, so the caller may go on or not. stdin is read where a path
// is "-"; it may be nil where none is.
func Find(paths []string, stdin io.Reader) (*Listing, error) {
	f := newFinder()
	var folders []string
	for _, path := range paths { // named files first: they are listed even where their folder would leave them out
		if path == Stdin {
			f.stream(path, stdin)
			continue
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
			f.wrongPath(path, err)
		case info.IsDir():
			folders = append(folders, path)
		case info.Mode().IsRegular():
			f.named(path)
		case isStream(path):
			f.streamFile(path)
		default:
			f.errs = append(f.errs, fmt.Errorf("%q is %s; files and folders are read. give what a program writes as -, standard input", path, modeName(info.Mode())))
		}
	}
	for _, path := range folders {
		f.folder(path)
	}
	byPath := func(a, b Template) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Stack, b.Stack)) }
	slices.SortStableFunc(f.listing.Templates, byPath)
	slices.SortStableFunc(f.listing.Skipped, func(a, b Skipped) int { return cmp.Compare(a.Path, b.Path) })
	return &f.listing, errors.Join(f.errs...)
}

// finder is one call of Find.
type finder struct {
	listing    Listing
	errs       []error
	seen       map[string]int                 // real path → index of its template, -1 for one that was left out
	folders    map[string]bool                // real paths of folders that were walked
	stacks     map[string]bool                // real paths of templates whose nested stacks are listed
	assemblies map[string]*assembly           // by real path of the folder
	deployed   map[string]map[string]Template // by real path of the folder, then of the template
	buffer     []byte                         // of the last file that was looked at
}

func newFinder() *finder {
	return &finder{
		seen:       map[string]int{},
		folders:    map[string]bool{},
		stacks:     map[string]bool{},
		assemblies: map[string]*assembly{},
		deployed:   map[string]map[string]Template{},
	}
}

// add lists a template under its real path, or completes the one that is
// listed already with the stack that it belongs to.
func (f *finder) add(real string, t Template) {
	if i, ok := f.seen[real]; ok && i >= 0 {
		if have := &f.listing.Templates[i]; have.Stack == "" {
			have.Stack, have.Account, have.Region = t.Stack, t.Account, t.Region
		}
		return
	}
	f.seen[real] = len(f.listing.Templates)
	f.listing.Templates = append(f.listing.Templates, t)
}

// named lists a file that was given by name.
func (f *finder) named(path string) {
	real := realPath(path)
	if filepath.Base(path) == manifestName {
		if a, err := f.assembly(filepath.Dir(path)); a != nil && err == nil {
			f.addAssembly(filepath.Dir(path), realPath(filepath.Dir(path)))
			return
		}
	}
	t := Template{Path: path}
	if file, err := os.Open(path); err != nil {
		t.Failed = reason(err)
	} else {
		_ = file.Close()
		f.fromAssembly(&t, real)
	}
	f.add(real, t)
}

// folder lists what is below a folder that was given by name.
func (f *finder) folder(path string) {
	real := realPath(path)
	if f.folders[real] {
		return
	}
	skipped := len(f.listing.Skipped)
	f.walk(path, real)
	if f.covers(real) {
		return
	}
	left := len(f.listing.Skipped) - skipped
	switch a := f.assemblies[real]; {
	case a != nil:
		f.empty("cloud assembly %q deploys no stack", path)
	case left > 0:
		f.empty("folder %q holds no CloudFormation template: %s left out, none with a Resources section. for a CDK app run cdk synth and give cdk.out", path, count(left, "file was", "files were"))
	default:
		f.empty("folder %q holds no file whose name ends in %s. for a CDK app run cdk synth and give cdk.out", path, strings.Join(extensions, ", "))
	}
}

// emptyError is what is wrong with a folder that holds no template.
type emptyError struct{ text string }

func (e *emptyError) Error() string { return e.text }

func (f *finder) empty(format string, args ...any) {
	f.errs = append(f.errs, &emptyError{fmt.Sprintf(format, args...)})
}

// Empty reports whether an error of Find says of folders that they hold no
// template, and nothing else.
func Empty(err error) bool {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			if !Empty(e) {
				return false
			}
		}
		return true
	}
	return errors.As(err, new(*emptyError))
}

// covers reports whether a template in or below the folder is listed.
func (f *finder) covers(real string) bool {
	below := strings.TrimSuffix(real, string(filepath.Separator)) + string(filepath.Separator)
	for path, i := range f.seen {
		if i >= 0 && (path == real || strings.HasPrefix(path, below)) {
			return true
		}
	}
	return false
}

// wrongPath says what is wrong with a path that could not be looked at.
func (f *finder) wrongPath(path string, err error) {
	if !errors.Is(err, os.ErrNotExist) {
		f.errs = append(f.errs, fmt.Errorf("%q cannot be read: %s", path, reason(err)))
		return
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSymlink != 0 {
		target, _ := os.Readlink(path)
		f.errs = append(f.errs, fmt.Errorf("%q is a symbolic link to %q, which does not exist", path, target))
		return
	}
	if near := nearPath(path); near != "" {
		f.errs = append(f.errs, fmt.Errorf("%q does not exist. did you mean %q?", path, near))
		return
	}
	f.errs = append(f.errs, fmt.Errorf("%q does not exist. give a template, a folder, a cdk.out, or - for standard input", path))
}

// nearPath returns the path that exists and is closest to one that does not, "" for none.
func nearPath(path string) string {
	dir, name := filepath.Split(filepath.Clean(path))
	look := dir
	if look == "" {
		look = "."
	}
	if _, err := os.Stat(look); err != nil {
		if near := nearPath(look); dir != "" && filepath.Clean(dir) != filepath.Clean(path) && near != "" {
			if found := filepath.Join(near, name); exists(found) {
				return found
			}
			return near
		}
		return ""
	}
	entries, err := os.ReadDir(look)
	if err != nil {
		return ""
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if near := nearest.Of(name, names); near != "" {
		return dir + near
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// realPath is the absolute path without symbolic links, by which one file is
// known under all its names.
func realPath(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return filepath.Clean(path)
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		return real
	}
	return abs
}

// reason is an error of the file system without the call and the path, which
// the reader sees beside it.
func reason(err error) string {
	switch {
	case errors.Is(err, os.ErrPermission):
		return "permission denied"
	case errors.Is(err, syscall.ELOOP):
		return "its symbolic links lead back to themselves"
	}
	var e *os.PathError
	if errors.As(err, &e) {
		return e.Err.Error()
	}
	return err.Error()
}

func modeName(m os.FileMode) string {
	switch {
	case m&os.ModeNamedPipe != 0:
		return "a named pipe"
	case m&os.ModeSocket != 0:
		return "a socket"
	case m&os.ModeDevice != 0:
		return "a device"
	}
	return "not a regular file"
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// isStream reports whether a path stands for a file that this process has open
// already, such as a shell's <(command).
func isStream(path string) bool {
	return path == "/dev/stdin" || strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/self/fd/")
}

func (f *finder) streamFile(path string) {
	file, err := os.Open(path)
	if err != nil {
		f.add(path, Template{Path: path, Failed: reason(err)})
		return
	}
	defer func() { _ = file.Close() }()
	f.stream(path, file)
}

// stream lists what r holds.
func (f *finder) stream(path string, r io.Reader) {
	if _, twice := f.seen[path]; twice {
		return
	}
	t := Template{Path: path, Source: []byte{}}
	if r == nil {
		t.Failed = "there is no standard input"
	} else if text, err := io.ReadAll(io.LimitReader(r, cfn.MaxSize+1)); err != nil {
		t.Failed = reason(err)
	} else {
		t.Source = text
	}
	f.add(path, t)
}
