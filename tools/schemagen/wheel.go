package main

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
)

const (
	schemasFolder = "cfnlint/data/schemas/"
	// primary is the region whose form of a type is taken where it has the type.
	primary = "us-east-1"
	// customResource is what Custom::X stands for: its properties are the
	// template author's, so there is nothing to know.
	customResource = "AWS::CloudFormation::CustomResource"
)

// wheelFile is an opened cfn-lint wheel.
type wheelFile struct {
	zip      *zip.ReadCloser
	version  string            // of cfn-lint
	date     string            // of the schemas
	types    map[string]string // resource type to the name of its schema
	stateful map[string]bool
}

func openWheel(file string) (*wheelFile, error) {
	z, err := zip.OpenReader(file)
	if err != nil {
		return nil, fmt.Errorf("open wheel: %w", err)
	}
	w := &wheelFile{zip: z, types: map[string]string{}, stateful: map[string]bool{}}
	if err := w.readIndexes(); err != nil {
		z.Close()
		return nil, fmt.Errorf("read wheel %q: %w", file, err)
	}
	return w, nil
}

func (w *wheelFile) readIndexes() error {
	var regions []string
	for _, f := range w.zip.File {
		if ok, _ := path.Match(schemasFolder+"providers/*.json", f.Name); ok {
			regions = append(regions, f.Name)
		}
		if ok, _ := path.Match("cfn_lint-*.dist-info/METADATA", f.Name); ok {
			w.version = strings.TrimSuffix(strings.TrimPrefix(path.Dir(f.Name), "cfn_lint-"), ".dist-info")
		}
	}
	// The primary region first, so that its form of a type wins; then the others by name.
	slices.SortFunc(regions, func(a, b string) int {
		if pa, pb := strings.HasSuffix(a, "/"+primary+".json"), strings.HasSuffix(b, "/"+primary+".json"); pa != pb {
			if pa {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	if len(regions) == 0 || !strings.HasSuffix(regions[0], "/"+primary+".json") {
		return fmt.Errorf("no %sproviders/%s.json. use a version of cfn-lint that keeps its schemas there (1.58 does)", schemasFolder, primary)
	}
	for _, region := range regions {
		var types map[string]string
		if err := w.json(region, &types); err != nil {
			return err
		}
		for name, hash := range types {
			if _, known := w.types[name]; !known && name != customResource && strings.Count(name, "::") == 2 {
				w.types[name] = hash
			}
		}
	}
	var version struct {
		Date string `json:"schema_date"`
	}
	if err := w.json(schemasFolder+"version.json", &version); err != nil {
		return err
	}
	w.date, _, _ = strings.Cut(version.Date, "T")
	var stateful struct{ ResourceTypes map[string]any }
	if err := w.json("cfnlint/data/AdditionalSpecs/StatefulResources.json", &stateful); err != nil {
		return err
	}
	for name := range stateful.ResourceTypes {
		w.stateful[name] = true
	}
	return nil
}

// source names what the schemas were made from.
func (w *wheelFile) source() string {
	return fmt.Sprintf("cfn-lint %s, schemas of %s", w.version, w.date)
}

func (w *wheelFile) typeNames() []string { return slices.Sorted(maps.Keys(w.types)) }

func (w *wheelFile) schema(typeName string) (*node, error) {
	n := new(node)
	if err := w.json(schemasFolder+"resources/"+w.types[typeName]+".json", n); err != nil {
		return nil, fmt.Errorf("schema of %s: %w", typeName, err)
	}
	if n.TypeName != typeName {
		return nil, fmt.Errorf("schema of %s calls itself %q", typeName, n.TypeName)
	}
	return n, nil
}

func (w *wheelFile) json(name string, v any) error {
	f, err := w.zip.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return fmt.Errorf("read %q: %w", name, err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("decode %q: %w", name, err)
	}
	return nil
}

func (w *wheelFile) Close() error { return w.zip.Close() }
