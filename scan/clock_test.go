package scan_test

import (
	"runtime"
	"testing"
	"time"

	"plumbline/scan"
)

func TestMeasureCountsWorkAndNotWaiting(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells the time of a thread")
	}
	took := scan.Measure()
	time.Sleep(60 * time.Millisecond)
	if got := took(); got > 30*time.Millisecond {
		t.Errorf("sleeping 60 ms took %s of processor time", got)
	}
	took = scan.Measure()
	for start, n := time.Now(), 0; time.Since(start) < 60*time.Millisecond; n++ {
		_ = n
	}
	if got := took(); got <= 0 || got > 2*time.Second {
		t.Errorf("working took %s", got)
	}
}
