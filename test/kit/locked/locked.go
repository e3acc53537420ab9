// Package locked has a buffer for what several goroutines write, such as the log of a server in the test's process.
package locked

import (
	"bytes"
	"sync"
)

// Buffer is a buffer that can be read while it is written to.
type Buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String returns what has been written so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
