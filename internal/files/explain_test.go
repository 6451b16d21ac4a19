package files

import (
	"io/fs"
	"strings"
	"syscall"
	"testing"
)

func TestErrorsSayWhatToDo(t *testing.T) {
	for err, want := range map[error]string{
		syscall.ENOSPC:   "free some space",
		syscall.EROFS:    "may be written",
		fs.ErrPermission: "may be written",
		syscall.ENOTDIR:  "a file stands where a folder should be",
		syscall.EIO:      `write "x": input/output error`,
	} {
		if got := explain("write", "x", err).Error(); !strings.Contains(got, want) {
			t.Errorf("%v: %q does not say %q", err, got, want)
		}
	}
}
