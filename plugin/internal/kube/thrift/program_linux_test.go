package thrift

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Only what is as it is in a file may be given back: not variables, nor text with breakpoints.
func TestUnchanged(t *testing.T) {
	const smaps = `00400000-0150d000 r-xp 00000000 fe:00 247026                     /usr/bin/coredns
Rss:               13108 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me sd
0150d000-027b3000 r-xp 0110d000 fe:00 247026                     /usr/bin/coredns
Anonymous:             4 kB
VmFlags: rd ex mr mw me sd
027b3000-02853000 rw-p 023b3000 fe:00 247026                     /usr/bin/coredns
Anonymous:             0 kB
02853000-0489e000 r--p 00000000 00:00 0
Anonymous:             0 kB
7ffd1000-7ffd3000 r-xp 00000000 00:00 0                          [vdso]
Anonymous:             0 kB
7ffff000-80000000 r--p 00000000 fe:00 1                          /usr/bin/coredns (deleted)
Anonymous:             0 kB
`
	want := []mapping{{0x400000, 0x150d000}, {0x7ffff000, 0x80000000}}
	if got := unchanged(strings.NewReader(smaps)); !slices.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

// The test maps its own program once more, where nobody else uses the pages.
func TestUnmapProgram(t *testing.T) {
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	program, err := unix.Mmap(int(f.Fd()), 0, 64*os.Getpagesize(), unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_POPULATE)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Munmap(program) }()
	before := resident(t, program)
	unmapProgram()
	if after := resident(t, program); before == "0" || after != "0" {
		t.Errorf("%s kB are resident, before %s", after, before)
	}
	if got := string(program[1:4]); got != "ELF" {
		t.Errorf("the program begins with %q", got)
	}
}

// resident returns how many kB of a mapping are in the resident memory.
func resident(t *testing.T, mapped []byte) string {
	t.Helper()
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	_, of, found := strings.Cut(string(smaps), fmt.Sprintf("\n%x-", uintptr(unsafe.Pointer(&mapped[0]))))
	_, rss, _ := strings.Cut(of, "\nRss:")
	if fields := strings.Fields(rss); found && len(fields) > 0 {
		return fields[0]
	}
	t.Fatalf("no mapping at %p", mapped)
	return ""
}
