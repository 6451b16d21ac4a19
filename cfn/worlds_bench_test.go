package cfn

import "testing"

// BenchmarkWorlds compares resolving with parsing the same templates: resolving
// must cost less than 40 % of it.
func BenchmarkWorlds(b *testing.B) {
	yamls, jsons := corpusFiles(b, "realworld-dev")
	var templates []*Template
	size := 0
	for _, sources := range []map[string][]byte{yamls, jsons} {
		for path, src := range sources {
			if t, err := Parse(path, src); err == nil {
				templates = append(templates, t)
				size += len(src)
			}
		}
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	worlds := 0
	for b.Loop() {
		worlds = 0
		for _, t := range templates {
			worlds += len(t.Worlds(Inputs{}))
		}
	}
	b.ReportMetric(float64(worlds), "worlds")
}
