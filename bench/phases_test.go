package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestComparison(t *testing.T) {
	for _, tt := range []struct{ name, printed, want string }{
		{"less", "plumbline: a warning\ntiming compile 2.0 ms\ntiming judge 10.0 ms\ntiming orchestrate 8.0 ms\n", "Here, workflow, tasks and persistence together cost less than judging: 8 ms to 12 ms."},
		{"more", "timing judge 10.0 ms\ntiming orchestrate 31.0 ms\n", "Here, workflow, tasks and persistence together cost more than judging: 31 ms to 10 ms."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ps, err := readTimings(tt.printed)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, comparison("Here", ps)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := readTimings("nothing\n"); err == nil {
		t.Error("no timings are no error")
	}
}
