//go:build !linux

package openloop

import (
	"context"
	"errors"
)

// Run fails: there are no timestamps of the kernel.
func Run(context.Context, Load) (Result, error) {
	return Result{}, errors.New("latencies can be measured on Linux only")
}
