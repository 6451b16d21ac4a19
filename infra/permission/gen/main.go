// Command gen writes docs/permissions.md: `go generate ./permission` in infra/.
package main

import (
	"log"
	"os"

	"plumbline/infra/permission"
)

func main() {
	page, err := permission.Page()
	if err == nil {
		err = os.WriteFile("../../docs/permissions.md", page, 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
}
