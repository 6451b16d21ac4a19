package local

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"plumbline/cfn/source"
	"plumbline/internal/sqlite"
	"plumbline/scan"
)

// names gives each template one name, however its path was typed: from the
// working folder ("x.yaml", "./x.yaml", or the whole path), or from another one.
// Below the base it is the path from there, so that a project keeps its history
// when it moves; elsewhere it is the whole path. The base is the folder that the
// data folder lies in, or without one the working folder. Safe for concurrent
// use. A nil names names nothing.
type names struct {
	working, base string // real paths

	mu   sync.Mutex
	real map[string]string // of folders, by path
}

func newNames(data string) *names {
	n := &names{real: map[string]string{}}
	n.working, _ = os.Getwd() // where there is none, paths are whole or cannot be opened either
	n.base = n.folder(".")
	if data != "" {
		n.base = n.folder(filepath.Dir(n.absolute(data)))
	}
	return n
}

func (n *names) absolute(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(n.working, path)
}

// folder is the real path of a folder, or its path where it is not there.
func (n *names) folder(path string) string {
	path = n.absolute(path)
	n.mu.Lock()
	defer n.mu.Unlock()
	real, ok := n.real[path]
	if !ok {
		var err error
		if real, err = filepath.EvalSymlinks(path); err != nil {
			real = path
		}
		n.real[path] = real
	}
	return real
}

// file is the real path of the folder that a file lies in, and the file's name in it.
func (n *names) file(path string) string {
	path = n.absolute(path)
	return filepath.Join(n.folder(filepath.Dir(path)), filepath.Base(path))
}

// of is the name of the template at a path, "" where that is the path itself.
func (n *names) of(path string) string {
	if n == nil || path == "" || path == source.Stdin {
		return ""
	}
	name := n.file(path)
	if rel, ok := below(name, n.base); ok {
		name = rel
	}
	if name = filepath.ToSlash(name); name == path {
		return ""
	}
	return name
}

// path is the real path of the template with that name.
func (n *names) path(name string) string {
	if name = filepath.FromSlash(name); filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(n.base, name)
}

// below reports whether a path lies below a folder, and what leads there from it.
func below(path, folder string) (rel string, ok bool) {
	return strings.CutPrefix(path, strings.TrimSuffix(folder, string(filepath.Separator))+string(filepath.Separator))
}

// Gone reports whether a data folder knows of findings in templates below the
// paths that are gone. It changes nothing.
func Gone(ctx context.Context, data string, paths []string) (bool, error) {
	db, err := openData(ctx, data)
	if err != nil {
		return false, err
	}
	known, err := db.Targets(ctx)
	if err := errors.Join(err, db.Close()); err != nil {
		return false, err
	}
	t := newTemplates(&Options{Paths: paths, names: newNames(data)}, nil)
	return len(t.gone(known)) > 0, nil
}

// gone lists the targets below the paths of this scan of which findings want
// attention, and whose template does not exist any more.
func (t *templates) gone(known []sqlite.Target) []scan.Target {
	var out []scan.Target
	for _, k := range known {
		if k.Template == "" {
			continue
		}
		real := t.o.names.path(k.Template)
		if _, err := os.Lstat(real); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		for _, given := range t.o.Paths {
			if filepath.Base(given) == "manifest.json" {
				given = filepath.Dir(given) // of a cloud assembly: it stands for the folder
			}
			rel, ok := below(real, t.o.names.folder(given))
			if !ok {
				continue
			}
			x := scan.Target{Path: filepath.Join(given, rel), Stack: k.Stack, Account: k.Account, Region: k.Region}
			if x.Name = k.Template; x.Name == x.Path {
				x.Name = ""
			}
			if _, is := t.byID[x]; !is {
				out = append(out, x)
			}
			break
		}
	}
	return out
}
