package apiserver

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// A silentError says that nothing has come for a while.
type silentError struct{ after time.Duration }

func (e silentError) Error() string { return fmt.Sprintf("nothing has come for %s", e.after) }

// IsSilent reports whether an error is that nothing has come.
func IsSilent(err error) bool {
	var silent silentError
	return errors.As(err, &silent)
}

// A PatientReader reads a body, and gives it up if nothing comes for a while.
type PatientReader struct {
	io.Reader
	limit time.Duration
	timer *time.Timer
}

// NewPatientReader calls giveUp at the end of its patience, which has to end the
// read that is under way.
func NewPatientReader(r io.Reader, limit time.Duration, giveUp func(error)) *PatientReader {
	timer := time.AfterFunc(limit, func() { giveUp(silentError{limit}) })
	timer.Stop()
	return &PatientReader{Reader: r, limit: limit, timer: timer}
}

// Read implements io.Reader. What is done with the data may take its time.
func (r *PatientReader) Read(to []byte) (int, error) {
	r.timer.Reset(r.limit)
	defer r.timer.Stop()
	return r.Reader.Read(to)
}
