package cfn

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"

	"plumbline/internal/sharedtest"
)

// corpusFiles returns the sources below a folder of the shared corpus, JSON apart from YAML.
func corpusFiles(tb testing.TB, folder string) (yamls, jsons map[string][]byte) {
	yamls, jsons = map[string][]byte{}, map[string][]byte{}
	err := filepath.WalkDir(filepath.Join(sharedtest.Dir(tb, "corpus"), folder), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if filepath.Ext(path) == ".json" {
			jsons[path] = src
		} else {
			yamls[path] = src
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return yamls, jsons
}

func benchmarkSources(b *testing.B, sources map[string][]byte, read func(path string, src []byte)) {
	size := 0
	for _, src := range sources {
		size += len(src)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for path, src := range sources {
			read(path, src)
		}
	}
}

// BenchmarkParse compares Parse with the floor: what the parsers under it, or
// the standard library's, take for the same templates.
func BenchmarkParse(b *testing.B) {
	yamls, jsons := corpusFiles(b, "realworld-dev")
	parse := func(path string, src []byte) { _, _ = Parse(path, src) }
	b.Run("yaml", func(b *testing.B) { benchmarkSources(b, yamls, parse) })
	b.Run("yaml-floor", func(b *testing.B) {
		benchmarkSources(b, yamls, func(_ string, src []byte) {
			var n yaml.Node
			_ = yaml.Unmarshal(src, &n)
		})
	})
	b.Run("json", func(b *testing.B) { benchmarkSources(b, jsons, parse) })
	b.Run("json-floor", func(b *testing.B) {
		benchmarkSources(b, jsons, func(_ string, src []byte) {
			var v any
			_ = json.Unmarshal(src, &v)
		})
	})
}
