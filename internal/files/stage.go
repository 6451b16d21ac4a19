package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"plumbline/blob"
)

// stagingFolder holds the stages of a store. No key begins with a dot, so it is
// no folder of keys.
const stagingFolder = ".staging"

// Stage holds objects apart from those of a store until all of them are
// published or none is. Its methods are safe for concurrent use, but for
// Publish and Discard, which are called when all else has returned.
type Stage struct {
	store *Store
	root  string

	mu   sync.Mutex
	made map[string]bool // folders
}

// Stage returns the stage of that name, a segment of a key. It may hold objects
// already: those of a process that ended without publishing them.
func (s *Store) Stage(name string) *Stage {
	return &Stage{store: s, root: filepath.Join(s.root, stagingFolder, name), made: map[string]bool{}}
}

// Stages lists the names of the stages that hold something, sorted.
func (s *Store) Stages() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(s.root, stagingFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, explain("list", filepath.Join(s.root, stagingFolder), err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

// View is the store of what lies in the stage, for reading.
func (g *Stage) View() *Store { return View(g.root) }

// Put writes an object into the stage. A part of it may be left where that
// fails: it is never published then.
func (g *Stage) Put(ctx context.Context, key string, v any) (blob.Ref, error) {
	if err := ctx.Err(); err != nil {
		return blob.Ref{}, err
	}
	b, ref, err := blob.Encode(key, v)
	if err != nil {
		return blob.Ref{}, err
	}
	path := filepath.Join(g.root, filepath.FromSlash(key))
	if err := g.folder(filepath.Dir(path)); err != nil {
		return blob.Ref{}, explain("make folder", filepath.Dir(path), err)
	}
	if err := os.WriteFile(path, b, 0o640); err != nil {
		return blob.Ref{}, explain("write", path, err)
	}
	return ref, nil
}

// PutStream writes an object into the stage while it is made.
func (g *Stage) PutStream(ctx context.Context, key string, write func(io.Writer) error) (blob.Ref, error) {
	if err := errors.Join(ctx.Err(), blob.ValidKey(key)); err != nil {
		return blob.Ref{}, err
	}
	path := filepath.Join(g.root, filepath.FromSlash(key))
	if err := g.folder(filepath.Dir(path)); err != nil {
		return blob.Ref{}, explain("make folder", filepath.Dir(path), err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o640)
	if err != nil {
		return blob.Ref{}, explain("write", path, err)
	}
	to := &sink{f: f}
	made := write(to)
	if err := errors.Join(to.err, f.Close()); err != nil {
		return blob.Ref{}, explain("write", path, err)
	}
	return blob.Ref{Key: key, SizeBytes: to.size}, made
}

// sink is a file that remembers whether it could be written.
type sink struct {
	f    *os.File
	size int64
	err  error
}

func (s *sink) Write(p []byte) (int, error) {
	n, err := s.f.Write(p)
	s.size += int64(n)
	if err != nil {
		s.err = err
	}
	return n, err
}

func (g *Stage) folder(dir string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.made[dir] {
		return nil
	}
	err := os.MkdirAll(dir, 0o750)
	g.made[dir] = err == nil
	return err
}

// Publish moves all objects to their places in the store. Where that fails, or
// the process ends meanwhile, a further call goes on from there.
func (g *Stage) Publish() error {
	if err := move(g.root, g.store.root); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return explain("publish", g.root, err)
	}
	return g.Discard()
}

// Discard removes the stage and all objects in it.
func (g *Stage) Discard() error {
	if err := os.RemoveAll(g.root); err != nil {
		return explain("remove", g.root, err)
	}
	_ = os.Remove(filepath.Dir(g.root)) // stays where another stage is in it
	return nil
}

// move moves what is in a folder to another one, whole folders where there is
// nothing in their place.
func move(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		old, place := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		if e.IsDir() {
			if _, err := os.Stat(place); err == nil {
				if err := move(old, place); err != nil {
					return err
				}
				continue
			} else if !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		if err := os.Rename(old, place); err != nil {
			return fmt.Errorf("move to %q: %w", place, err)
		}
	}
	return nil
}
