package apiserver

import (
	"strings"
	"testing"

	"k8s.io/client-go/rest"
)

// C4: whatever form the URL of the API server has, its password is in no text that it leads to.
func TestC4PasswordInAnyURL(t *testing.T) {
	for host, want := range map[string]string{
		"https://user:s3cret@host:6443":        "https://host:6443",
		"user:s3cret@host:6443":                "host:6443",
		"https://host:6443/?token=s3cret":      "https://host:6443/",
		"https://user:s3cret@host/path#s3cret": "https://host/path",
		"https://host/cluster@east":            "https://host/cluster@east",
		"//user:s3cret@host:6443/":             "",
		"https:/user:s3cret@host:6443/":        "",
		"https:user:s3cret@host:6443/":         "",
		"https:///user:s3cret@host":            "",
		"https://user:s3cret%zz@host:6443":     "",
		"https://user:s3?cret@host:6443":       "",
		`https:\\user:s3cret@host:6443/`:       "",
	} {
		c := &rest.Config{Host: host}
		err := separateUser(c)
		switch {
		case err != nil && strings.Contains(err.Error(), "cret"):
			t.Errorf("%s: %v", host, err)
		case err != nil && want != "":
			t.Errorf("%s: %v, want %s", host, err, want)
		case err == nil && (strings.Contains(c.Host, "cret") || want != "" && c.Host != want):
			t.Errorf("%s: %s, want %q", host, c.Host, want)
		}
	}
}
