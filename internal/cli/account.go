package cli

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"plumbline/internal/account"
)

// withAccounts is the binary that reads accounts: the same command line, with
// AWS's SDK in it.
const withAccounts = "plumbline-aws"

// openAccount opens an account. A binary without AWS's SDK gives way to the one
// that has it, which takes the same command line.
func (s *Streams) openAccount(ctx context.Context, o account.Options) (account.Account, error) {
	if s.Accounts != nil {
		return s.Accounts(ctx, o)
	}
	other := ""
	if self, err := os.Executable(); err == nil {
		if path := filepath.Join(filepath.Dir(self), withAccounts); isProgram(path) {
			other = path
		}
	}
	if path, err := exec.LookPath(withAccounts); other == "" && err == nil {
		other = path
	}
	if other == "" {
		return nil, usagef("deployed stacks are read by %s, which carries AWS's SDK, and it is neither beside plumbline nor in PATH. \"make build\" makes both", withAccounts)
	}
	err := syscall.Exec(other, append([]string{other}, os.Args[1:]...), os.Environ())
	return nil, usagef("%s %q cannot be run: %s", withAccounts, other, cause(err))
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
