package listwatch

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/apiserver"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/slimpb"
)

// page reads a list, or a page of one, and passes each object to put as soon as it is read.
func (l *lister) page(
	ctx context.Context, client rest.Interface, options metav1.ListOptions, put func(metav1.Object),
) (about metav1.ListMeta, err error) {
	ctx, release := context.WithTimeoutCause(ctx, l.limits.List, fmt.Errorf("not complete after %s", l.limits.List))
	defer release()
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	body, err := l.request(client, options).Stream(ctx)
	if err != nil {
		return about, err
	}
	defer body.Close()
	about, err = slimpb.ReadList(apiserver.NewPatientReader(body, l.limits.Silence, giveUp), l.kind.Name+"List", l.kind.Decode, l.kind.NewList(), put)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return about, fmt.Errorf("list of %s: %w", l.kind.Logged.Name, err)
	}
	return about, nil
}
