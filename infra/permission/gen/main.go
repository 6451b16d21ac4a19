// Command gen writes docs/permissions.md: `go generate ./permission` in infra/.
package main

import (
	"fmt"
	"os"

	"plumbline/infra/permission"
)

func main() {
	page, err := permission.Page()
	if err == nil {
		err = os.WriteFile("../../docs/permissions.md", page, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "permissions:", err)
		os.Exit(1)
	}
}
