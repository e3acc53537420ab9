package written

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// asciiOf are characters that a word processor, a web page or a keyboard gives in the place of one that CoreDNS knows.
var asciiOf = func() map[rune]string {
	all := map[rune]string{'\u3002': "."}
	for plain, others := range map[string]string{
		`"`: "\u201c\u201d\u201e\u201f\u00ab\u00bb", `'`: "\u2018\u2019\u201a\u201b", "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
	} {
		for _, r := range others {
			all[r] = plain
		}
	}
	for r := '\uff01'; r <= '\uff5e'; r++ { // the fullwidth forms of ASCII
		all[r] = string(r - '\uff01' + '!')
	}
	return all
}()

// Oddity is what is wrong with a line of a text, and what to write instead.
type Oddity struct {
	Line          int // 0 for the whole text
	What, Instead string
}

// Oddities returns what looks like a character of a Corefile, or like none, and becomes a part of a word. Spaces of all kinds
// and a byte order mark at the beginning are fine.
func Oddities(body []byte) (found []Oddity) {
	line, comment, quoted := 1, false, false
	for at := 0; at < len(body); {
		r, size := utf8.DecodeRune(body[at:])
		switch what, instead := odd(r, size, body[at], quoted); {
		case r == '\n':
			line, comment = line+1, false
		case comment || at == 0 && r == '\ufeff':
		case r == '"' && quoted:
			quoted = body[at-1] == '\\'
		case r == '"': // quotes are those at the beginning of a word
			quoted = at == 0 || unicode.IsSpace(rune(body[at-1]))
		case r == '#' && !quoted:
			comment = true
		case what != "":
			found = append(found, Oddity{line, what, instead})
		}
		at += size
	}
	return found
}

// odd returns what is wrong with a character, if anything is. In quotes, what can be seen may be meant.
func odd(r rune, size int, first byte, quoted bool) (what, instead string) {
	plain := asciiOf[r]
	switch {
	case r == utf8.RuneError && size == 1:
		return fmt.Sprintf("The byte %#x is no character in UTF-8, which CoreDNS reads: it becomes a part of the word.", first), "The file saved as UTF-8, with a plain character here."
	case unicode.Is(unicode.Cf, r):
		return fmt.Sprintf("The character %U cannot be seen, and is a part of the word in which it stands.", r), "The word typed anew."
	case plain != "" && !quoted:
		return fmt.Sprintf("%c (%U) is no %s: it becomes a part of the word.", r, r, plain), "A plain " + plain + " here."
	}
	return "", ""
}

// Encoded returns what is wrong with a text that is not UTF-8 at all, in which each second byte is empty, or nil.
func Encoded(body []byte) *Oddity {
	if bytes.IndexByte(body, 0) < 0 {
		return nil
	}
	return &Oddity{
		What:    "the file is no UTF-8, but UTF-16 as PowerShell writes it, or no text",
		Instead: "The file saved as UTF-8: Out-File -Encoding utf8 in the place of > in PowerShell.",
	}
}

// Misread returns what to write instead, where braces have led CoreDNS to an error about a line, or "".
func Misread(body []byte, no int, err error) string {
	if strings.Contains(err.Error(), "Unexpected '}'") {
		return "Each } on a line of its own, and as many as there are {."
	}
	_, word, unknown := strings.Cut(err.Error(), "Unknown directive '")
	if word = strings.TrimSuffix(word, "'"); !unknown {
		return ""
	}
	lines := strings.Split(string(body), "\n")
	for i := min(no, len(lines)) - 1; i >= 0; i-- {
		if text := strings.TrimRight(lines[i], " \t\r"); strings.HasSuffix(text, "{") && strings.TrimRight(text, "{ \t") != strings.TrimRight(text, "{") {
			break
		} else if strings.HasSuffix(text, "{") && strings.TrimSpace(text) != "{" {
			return fmt.Sprintf("A space before the { in line %d: without one it is a part of the word, and nothing is open here.", i+1)
		}
	}
	if strings.ContainsAny(word, ".:") {
		return "A } above this line: a server block cannot stand in another one."
	}
	if word == "proxy" {
		return "forward, which has taken the place of proxy."
	}
	return ""
}
