//go:build !linux

package scan

import "time"

var began = time.Now()

func threadTime() time.Duration { return time.Since(began) }
