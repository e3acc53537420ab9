package main

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	"github.com/clusterdns/clusterdns/test/kit/await"
)

// TestBinary looks at what make build makes, as that is what runs in a cluster.
func TestBinary(t *testing.T) {
	bin := build(t)
	t.Run("version", func(t *testing.T) { testVersion(t, bin) })
	t.Run("plugins", func(t *testing.T) { testPlugins(t, bin) })
	t.Run("static", func(t *testing.T) { testStatic(t, bin) })
	t.Run("check", func(t *testing.T) { testCheck(t, bin) })
	t.Run("stands back", func(t *testing.T) { testStandsBack(t, bin) })
	t.Run("serves", func(t *testing.T) { testServes(t, bin) })
}

func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "coredns")
	cmd := exec.Command("make", "-s", "-C", "../..", "build", "BIN="+bin, "VERSION=9.8.7")
	// The flags of a make above this test must not reach the one below it.
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKEOVERRIDES=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return bin
}

func testVersion(t *testing.T, bin string) {
	first, _, _ := strings.Cut(output(t, bin, "-version"), "\n")
	if want := "CoreDNS-" + coremain.CoreVersion + "+clusterdns-9.8.7"; first != want {
		t.Errorf("-version says %q, want %q", first, want)
	}
}

// TestDevelopmentVersion holds the version of a commit without a tag to the one that
// the changelog says comes next.
func TestDevelopmentVersion(t *testing.T) {
	changelog, err := os.ReadFile("../../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	next := regexp.MustCompile(`(?m)^## \[([0-9.]+)\] - not released yet$`).FindSubmatch(changelog)
	if next == nil {
		t.Fatal("no version in CHANGELOG.md is marked as not released yet")
	}
	cmd := exec.Command("make", "-n", "-C", "../..", "build")
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKEOVERRIDES=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	if want := "-X main.version=" + string(next[1]) + "-dev "; !strings.Contains(string(out), want) {
		t.Errorf("make build does not have %q:\n%s", want, out)
	}
}

// A stock directive that is not there is a Corefile that does not start.
func testPlugins(t *testing.T, bin string) {
	want := append(slices.Clone(dnsserver.Directives), "clusterdns", "k8s_gateway")
	slices.Sort(want)
	got := strings.Fields(output(t, bin, "-plugins"))
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("-plugins says\n%v, want\n%v", got, want)
	}
}

// The image holds nothing but the binary, so it may need no loader and no libc.
func testStatic(t *testing.T, bin string) {
	file, err := elf.Open(bin)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, prog := range file.Progs {
		if prog.Type == elf.PT_INTERP {
			t.Error("the binary is linked dynamically")
		}
	}
}

// The demo's Corefile is checked in the repository's root, where its files are.
func testCheck(t *testing.T, bin string) {
	cmd := exec.Command(bin, "check", "Corefile")
	cmd.Dir = "../.."
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Corefile: 0 errors, 0 warnings") {
		t.Errorf("%v: %v\n%s", cmd, err, out)
	}
}

// testStandsBack: memory that is short in the server's container ends a sub-command, and not the server.
func testStandsBack(t *testing.T, bin string) {
	if runtime.GOOS != "linux" {
		t.Skip("oom_score_adj is a file of Linux alone")
	}
	cmd := exec.Command(bin, "check", "-")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await.True(t, 30*time.Second, "a score of 1000", func() bool {
		score, err := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", cmd.Process.Pid))
		return err == nil && string(score) == "1000\n"
	})
	_ = in.Close()
	_ = cmd.Wait() // an empty Corefile is no error of this test
}

func output(t *testing.T, bin string, args ...string) string {
	t.Helper()
	out, err := exec.Command(bin, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", bin, args, err, out)
	}
	return string(out)
}
