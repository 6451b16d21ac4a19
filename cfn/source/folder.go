package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"plumbline/cfn"
)

// extensions are the ends of names that templates have. A CDK template's is .template.json.
var extensions = []string{".yaml", ".yml", ".json", ".template", ".cfn"}

// ignored are folders that hold other people's code or copies. Folders whose
// name begins with a dot are ignored as well: .git, .venv, .aws-sam.
var ignored = []string{"node_modules", "bower_components", "__pycache__", "venv", "site-packages"}

// isIgnored reports whether a folder inside a folder that was given is left out.
// CDK puts copies of what functions are made of into asset. folders.
func isIgnored(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "asset.") || slices.Contains(ignored, name)
}

// isData reports whether a folder is what "plumbline scan --data" keeps findings
// and reports in: nothing in it is a template, and nobody misses it.
func isData(path string) bool {
	return exists(filepath.Join(path, "findings.db")) && exists(filepath.Join(path, "bucket"))
}

func hasExtension(name string) bool {
	for _, e := range extensions {
		if len(name) > len(e) && strings.EqualFold(name[len(name)-len(e):], e) {
			return true
		}
	}
	return false
}

// walk lists the templates below a folder, following symbolic links; real is
// its real path, by which a folder is walked once however many links lead to it.
func (f *finder) walk(dir, real string) {
	if f.folders[real] {
		return
	}
	f.folders[real] = true
	if f.addAssembly(dir, real) {
		return
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		f.add(real, Template{Path: dir, Failed: "the folder cannot be read: " + reason(err)})
		return
	}
	for _, e := range entries {
		name := e.Name()
		path, realName, mode := filepath.Join(dir, name), filepath.Join(real, name), e.Type()
		if mode&fs.ModeSymlink != 0 {
			info, err := os.Stat(path)
			if err != nil {
				if hasExtension(name) {
					f.skip(realName, path, "a symbolic link that leads nowhere")
				}
				continue
			}
			mode, realName = info.Mode().Type(), realPath(path)
		}
		switch {
		case mode.IsDir():
			if !isIgnored(name) && !isData(path) {
				f.walk(path, realName)
			}
		case !hasExtension(name):
		case mode.IsRegular():
			f.candidate(path, realName)
		default:
			f.skip(realName, path, modeName(mode))
		}
	}
}

func (f *finder) skip(real, path, reason string) {
	if _, ok := f.seen[real]; ok {
		return
	}
	f.seen[real] = -1
	f.listing.Skipped = append(f.listing.Skipped, Skipped{Path: path, Reason: reason})
}

// candidate lists a file of a folder if it looks like a template.
func (f *finder) candidate(path, real string) {
	if _, ok := f.seen[real]; ok {
		return
	}
	src, size, err := head(path, f.buffer)
	f.buffer = src[:0]
	if err != nil {
		f.add(real, Template{Path: path, Failed: reason(err)})
		return
	}
	ok, why := cfn.Sniff(path, src)
	switch {
	case !ok && strings.HasPrefix(filepath.Base(path), "."):
		// A hidden file is some tool's settings far more often than a template: nobody misses it.
	case !ok:
		f.skip(real, path, why)
	case size > cfn.MaxSize:
		f.add(real, Template{Path: path, Failed: tooLarge(size)})
	default:
		f.add(real, Template{Path: path})
	}
}

func tooLarge(size int64) string {
	return fmt.Sprintf("the file is %d MiB; up to %d MiB are read. split the template into nested stacks", size>>20, int64(cfn.MaxSize)>>20)
}

// headSize is how much of a file that is too large to be read is looked at.
const headSize = 256 << 10

// head returns a file's text and size; of one that is too large, its beginning.
// The text is in buffer where it fits there.
func head(path string, buffer []byte) (src []byte, size int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, 0, err
	}
	size = info.Size()
	n := size
	if size > cfn.MaxSize {
		n = headSize
	}
	if src = buffer[:0]; int64(cap(src)) < n {
		src = make([]byte, 0, n)
	}
	src = src[:n]
	read, err := io.ReadFull(file, src)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // it shrank meanwhile
		err = nil
	}
	return src[:read], size, err
}
