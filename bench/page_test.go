package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMergePage(t *testing.T) {
	page := mergePage("", "", "# Benchmarks\n\na scan\n\n")
	page = mergePage(page, "servers", "## Servers\n\nfast\n")
	page = mergePage(page, "engines", "## Engines\n\nfast\n")
	page = mergePage(page, "servers", "## Servers\n\nfaster\n")
	page = mergePage(page, "", "# Benchmarks\n\nanother scan\n\n")
	want := `# Benchmarks

another scan

<!-- engines -->
## Engines

fast
<!-- end of engines -->

<!-- servers -->
## Servers

faster
<!-- end of servers -->
`
	if diff := cmp.Diff(want, page); diff != "" {
		t.Errorf("the page differs (-want +got):\n%s", diff)
	}
}
