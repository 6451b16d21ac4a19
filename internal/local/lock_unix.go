//go:build unix

package local

import (
	"errors"
	"os"
	"syscall"
)

// tryLock takes the lock of an open file; false where another process has it.
// It goes with the file, or with the process.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
