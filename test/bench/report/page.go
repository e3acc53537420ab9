package report

import (
	"fmt"
	"os"
	"strings"
)

// Programs write the part of a page between these lines.
const (
	Begin = "<!-- What follows is written by make bench. -->"
	End   = "<!-- What precedes is written by make bench. -->"
)

// ReplaceInPage replaces the part of a page between the two lines.
func ReplaceInPage(path, text string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	replaced, err := replaceBetween(string(page), text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(replaced), 0o644)
}

func replaceBetween(page, text string) (string, error) {
	before, rest, ok := strings.Cut(page, Begin+"\n")
	if !ok {
		return "", fmt.Errorf("no line %q", Begin)
	}
	_, after, ok := strings.Cut(rest, End+"\n")
	if !ok {
		return "", fmt.Errorf("no line %q after %q", End, Begin)
	}
	return before + Begin + "\n\n" + strings.TrimSpace(text) + "\n\n" + End + "\n" + after, nil
}
