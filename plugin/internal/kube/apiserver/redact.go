package apiserver

import (
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"k8s.io/client-go/rest"
)

// errSecretURL replaces an error of package url, which would repeat the URL.
var errSecretURL = errors.New("the URL of the API server cannot be parsed (the URL is not shown, because it contains a password)")

// separateUser moves user and password out of the URL of the API server, so that no error,
// log line or metric can show them. The client still sends them if it has no other
// credentials, as net/http would.
func separateUser(c *rest.Config) error {
	user, host := cutUser(c.Host)
	if user == "" {
		if strings.Contains(c.Host, "@") && hidesUser(c.Host) {
			return errSecretURL
		}
		c.Host = withoutQuery(c.Host)
		return nil
	}
	parsed, err := url.Parse("//" + user + "@host")
	if err != nil {
		return errSecretURL
	}
	c.Host = withoutQuery(host)
	if !authenticated(c) {
		c.Username = parsed.User.Username()
		c.Password, _ = parsed.User.Password()
	}
	return nil
}

// hidesUser reports whether what stands before an @ in an address may be a password all the same:
// in a URL that cannot be parsed, or that has no scheme or no host.
func hidesUser(address string) bool {
	u, err := url.Parse(address)
	return err != nil || u.Scheme == "" || u.Host == ""
}

// withoutQuery leaves out what the client does not send to an API server, and what may be a token.
func withoutQuery(address string) string {
	if at := strings.IndexAny(address, "?#"); at >= 0 {
		return address[:at]
	}
	return address
}

// cutUser cuts the user information out of a URL, or of an address with a port.
func cutUser(address string) (user, rest string) {
	start := 0
	if scheme := strings.Index(address, "://"); scheme >= 0 {
		start = scheme + len("://")
	}
	end := len(address)
	if path := strings.IndexAny(address[start:], "/?#"); path >= 0 {
		end = start + path
	}
	at := strings.LastIndexByte(address[start:end], '@')
	if at < 0 {
		return "", address
	}
	return address[start : start+at], address[:start] + address[start+at+1:]
}

// authenticated reports whether the configuration has credentials besides the URL's.
func authenticated(c *rest.Config) bool {
	return c.Username != "" || c.BearerToken != "" || c.BearerTokenFile != "" || c.AuthProvider != nil || c.ExecProvider != nil
}

// userInURL matches the user information of a URL with any characters in it, because errors
// also quote URLs that cannot be parsed.
var userInURL = regexp.MustCompile(`://(?:[^"\\\n]|\\.)*@`)

// redact hides user and password of every URL in a text.
func redact(text string) string { return userInURL.ReplaceAllString(text, "://***@") }

// redactError hides the user information of the URLs in the text of an error, and whatever
// else looks like user information.
func redactError(err error, urls ...string) error {
	text := err.Error()
	for _, u := range urls {
		_, authority, found := strings.Cut(u, "://")
		if !found {
			authority = u
		}
		user := authority[:strings.LastIndexByte(authority, '@')+1]
		if user == "" {
			continue
		}
		for _, form := range []string{user, strings.Trim(strconv.Quote(user), `"`)} {
			text = strings.ReplaceAll(text, form, "***@")
		}
	}
	return redactedError{redact(text), err}
}

// redactedError is an error without the passwords in its text.
type redactedError struct {
	text string
	err  error
}

func (e redactedError) Error() string { return e.text }

// Unwrap returns the original error.
func (e redactedError) Unwrap() error { return e.err }
