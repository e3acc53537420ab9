package state

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// maxSize bounds the memory of a read. The reference cluster, with 100,000 endpoints, takes 1 MiB.
const maxSize = 32 << 20

// unfinished is what the name of a file that is being written ends in, after a random part.
const unfinished = ".unfinished"

// abandoned is the age at which an unfinished file is nobody's: its writer was killed.
const abandoned = 10 * time.Minute

// Open reads a file and checks its sum. It reads nothing but a regular file: a pipe would keep it
// waiting.
func Open(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	about, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !about.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	case about.Size() > maxSize:
		return nil, fmt.Errorf("it has %d bytes, and %d at most are read", about.Size(), maxSize)
	}
	data := make([]byte, about.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, err
	}
	return decode(data)
}

// Write writes a file beside path, for its owner alone, and renames it to path. Whoever reads path
// meanwhile, or after the process was killed, finds the file of before.
func Write(path string, h Header, s *cluster.Snapshot) error {
	data := encode(h, s)
	if len(data) > maxSize {
		return fmt.Errorf("it would have %d bytes, and %d at most are read", len(data), maxSize)
	}
	if err := replace(path, data); err != nil {
		return fmt.Errorf("cannot write in %s: %w", filepath.Dir(path), cause(err))
	}
	return nil
}

func replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), prefixOf(path)+"*"+unfinished)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = cmp.Or(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// cause returns an error without the random name, so that the same trouble has the same text.
func cause(err error) error {
	var file *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &file):
		return file.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// Sweep removes what writers of the file have left unfinished, before the given time.
func Sweep(path string, now time.Time) {
	folder, prefix := filepath.Dir(path), prefixOf(path)
	left, _ := os.ReadDir(folder)
	for _, entry := range left {
		if !strings.HasPrefix(entry.Name(), prefix) || !strings.HasSuffix(entry.Name(), unfinished) {
			continue
		}
		if about, err := entry.Info(); err == nil && now.Sub(about.ModTime()) > abandoned {
			os.Remove(filepath.Join(folder, entry.Name()))
		}
	}
}

// prefixOf returns what the names of unfinished files begin with.
func prefixOf(path string) string { return "." + filepath.Base(path) + "." }
