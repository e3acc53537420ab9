//go:build !linux

package openloop

import (
	"context"
	"errors"
)

// Run returns an error: there are no kernel timestamps.
func Run(context.Context, Load) (Result, error) {
	return Result{}, errors.New("latencies can be measured on Linux only")
}
