// Package files keeps objects as files below a folder, under the keys that
// they have in the bucket on AWS: reports, summaries of scans, failures.
package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"syscall"

	"plumbline/blob"
)

// Store is a blob.Store of files. A file is written beside its place and then
// renamed, so a reader, or a crash, sees the old object or the new one and
// never a part of it.
type Store struct{ root string }

// Open returns the store below a folder, which is made where it does not
// exist. The error says what stands in the way.
func Open(root string) (*Store, error) {
	if err := os.MkdirAll(root, 0o750); err != nil {
		return nil, explain("make folder", root, err)
	}
	probe, err := os.CreateTemp(root, tempPattern)
	if err != nil {
		return nil, explain("write to folder", root, err)
	}
	err = errors.Join(probe.Close(), os.Remove(probe.Name()))
	if err != nil {
		return nil, explain("write to folder", root, err)
	}
	return &Store{root: root}, nil
}

// View returns the store below a folder, for reading only: it makes nothing.
func View(root string) *Store { return &Store{root: root} }

// tempPattern names files that are being written. No key has a segment that
// starts with a dot, so none is mistaken for an object.
const tempPattern = ".writing-*"

// Put writes the object.
func (s *Store) Put(ctx context.Context, key string, v any) (blob.Ref, error) {
	if err := ctx.Err(); err != nil {
		return blob.Ref{}, err
	}
	b, ref, err := blob.Encode(key, v)
	if err != nil {
		return blob.Ref{}, err
	}
	path := s.Path(key)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return blob.Ref{}, explain("make folder", filepath.Dir(path), err)
	}
	if err := write(path, b); err != nil {
		return blob.Ref{}, explain("write", path, err)
	}
	return ref, nil
}

// write writes a file whole or not at all.
func write(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), tempPattern)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Chmod(0o640)
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// Get reads the object and checks it against the reference's hash.
func (s *Store) Get(ctx context.Context, r blob.Ref, v any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := blob.ValidKey(r.Key); err != nil {
		return err
	}
	b, err := os.ReadFile(s.Path(r.Key))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR):
		return fmt.Errorf("read object %q: %w", r.Key, blob.ErrNotFound)
	case err != nil:
		return explain("read", s.Path(r.Key), err)
	}
	return blob.Decode(r, b, v)
}

// Path is the file of a key.
func (s *Store) Path(key string) string { return filepath.Join(s.root, filepath.FromSlash(key)) }

// Keys yields the keys below a folder of keys such as "scans", sorted. A
// folder that does not exist has none. An error ends the sequence.
func (s *Store) Keys(ctx context.Context, folder string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := blob.ValidKey(folder); err != nil {
			yield("", err)
			return
		}
		stopped := errors.New("stopped")
		err := filepath.WalkDir(s.Path(folder), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil && path == s.Path(folder) && errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil:
				return err
			case ctx.Err() != nil:
				return ctx.Err()
			case d.IsDir() || d.Name()[0] == '.':
				return nil
			}
			rel, err := filepath.Rel(s.root, path)
			if err != nil {
				return err
			}
			if !yield(filepath.ToSlash(rel), nil) {
				return stopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, stopped) {
			yield("", explain("list", s.Path(folder), err))
		}
	}
}

// explain says what to do about an error of the file system, where that is known.
func explain(what, path string, err error) error {
	advice := ""
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		advice = ". free some space, or give --data a folder on another disk"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		advice = ". give --data a folder that may be written"
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		advice = ". a file stands where a folder should be; remove it or give --data another folder"
	}
	var at *fs.PathError
	if errors.As(err, &at) && at.Path == path {
		err = at.Err // the path is said already
	}
	return fmt.Errorf("%s %q: %w%s", what, path, err, advice)
}
