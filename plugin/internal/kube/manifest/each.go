package manifest

import (
	"context"
	"io"
)

// Each passes the objects of files and folders to take, of whatever kind, one after another: the apiVersion and
// the kind, and a function that decodes the object.
func Each(ctx context.Context, paths []string, take func(kind string, into func(any) error) error) error {
	return findFiles(paths).each(ctx, func(f file, in io.Reader) error {
		_, err := parseDocuments(f.path, in, func(d *document) error {
			return take(d.apiVersion+" "+d.kind, d.into)
		})
		return err
	})
}
