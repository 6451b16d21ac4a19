// Package bundle packs the organisation's policy file and rules into the zip
// that functions judge by, and refuses one that they could not open.
package bundle

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"plumbline/rules"
	"plumbline/ruleset"
	"plumbline/tasks/catalog"
)

// Bundle is a packed folder.
type Bundle struct {
	Key string // of the object in the bucket of reports: the same content has the same key
	Zip []byte
}

// Pack packs the YAML files of a folder, which is named by name in errors. The
// same files give the same bytes. Everything that is wrong is told together.
func Pack(name string, folder fs.FS) (Bundle, error) {
	if err := check(name, folder); err != nil {
		return Bundle{}, err
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	files := 0
	err := fs.WalkDir(folder, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || path.Ext(file) != ".yaml" {
			return err
		}
		files++
		content, err := fs.ReadFile(folder, file)
		if err != nil {
			return err
		}
		// No time, so that only the content makes the bytes.
		entry, err := w.CreateHeader(&zip.FileHeader{Name: file, Method: zip.Deflate})
		if err != nil {
			return err
		}
		_, err = io.Copy(entry, bytes.NewReader(content))
		return err
	})
	if err := errors.Join(err, w.Close()); err != nil {
		return Bundle{}, fmt.Errorf("pack %s: %w", name, err)
	}
	if files == 0 {
		return Bundle{}, fmt.Errorf("pack %s: there is no YAML file in it. give a folder with %s, rules or both", name, ruleset.PolicyFile)
	}
	sum := sha256.Sum256(b.Bytes())
	return Bundle{Key: catalog.Bundles + hex.EncodeToString(sum[:]) + ".zip", Zip: b.Bytes()}, nil
}

// check opens what is to be packed as functions will open it.
func check(name string, folder fs.FS) error {
	var policy *ruleset.Policy
	src, err := fs.ReadFile(folder, ruleset.PolicyFile)
	switch {
	case err == nil:
		if policy, err = ruleset.ReadPolicy(path.Join(name, ruleset.PolicyFile), src); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("read the policy of %s: %w", name, err)
	}
	set, err := ruleset.Open(rules.FS, policy, ruleset.Folder{Path: name, Rules: folder})
	if err != nil {
		return err
	}
	if policy == nil {
		return nil
	}
	var wrong []error
	for _, p := range policy.Check(set.Index()) {
		wrong = append(wrong, p)
	}
	return errors.Join(wrong...)
}
