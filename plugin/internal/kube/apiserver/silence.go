package apiserver

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// A silentError reports that nothing arrived for some time.
type silentError struct{ after time.Duration }

func (e silentError) Error() string { return fmt.Sprintf("nothing received for %s", e.after) }

// IsSilent reports whether a request failed because nothing arrived for some time.
func IsSilent(err error) bool {
	var silent silentError
	return errors.As(err, &silent)
}

// A PatientReader reads a body, and gives up if nothing arrives for some time.
type PatientReader struct {
	io.Reader
	limit time.Duration
	timer *time.Timer
}

// NewPatientReader makes a PatientReader. When a Read has waited for limit, it calls
// giveUp, which must end that Read.
func NewPatientReader(r io.Reader, limit time.Duration, giveUp func(error)) *PatientReader {
	timer := time.AfterFunc(limit, func() { giveUp(silentError{limit}) })
	timer.Stop()
	return &PatientReader{Reader: r, limit: limit, timer: timer}
}

// Read implements io.Reader. The time between two calls does not count.
func (r *PatientReader) Read(to []byte) (int, error) {
	r.timer.Reset(r.limit)
	defer r.timer.Stop()
	return r.Reader.Read(to)
}
