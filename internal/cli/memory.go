package cli

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// A scan of some hundred templates keeps little alive and is over soon: the
// less often garbage is collected the less processor time it takes, as long as
// the process stays small. A scan that keeps much alive must not be collected
// against a limit that it cannot meet, so there the usual rule takes over.
const (
	smallLimit  = 74 << 20 // bytes the runtime may take before it collects; the program's own pages come on top
	smallLive   = 32 << 20 // bytes alive after a collection up to which a scan counts as small
	largeGrowth = 100      // GOGC of a large scan
)

// collectLate sets the collector up for a small scan and watches, collection
// by collection, whether it stays one.
func collectLate() {
	debug.SetGCPercent(1000)
	debug.SetMemoryLimit(smallLimit)
	watchLive()
}

// databaseRoom is what SQLite takes beside the Go heap for a scan of some hundred
// templates: its pages, statements and the log's index. Measured: 8 to 10 MiB.
const databaseRoom = 10 << 20

// leaveRoom keeps a small scan small that uses a database.
func leaveRoom() {
	if debug.SetMemoryLimit(-1) == smallLimit {
		debug.SetMemoryLimit(smallLimit - databaseRoom)
	}
}

// watchLive runs after the next collection: its sentinel is garbage from the start.
func watchLive() {
	runtime.SetFinalizer(new([16]byte), func(*[16]byte) {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		if live[0].Value.Kind() == metrics.KindUint64 && live[0].Value.Uint64() > smallLive {
			debug.SetGCPercent(largeGrowth)
			debug.SetMemoryLimit(math.MaxInt64)
			return
		}
		watchLive()
	})
}
