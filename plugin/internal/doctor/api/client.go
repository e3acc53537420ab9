package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/apiserver"
)

// Client asks the API server. Objects come as JSON: client-go's typed clients would bring the types of all groups
// into the server's binary.
type Client struct {
	InPod  bool // without a kubeconfig, as the ServiceAccount of a Pod
	client rest.Interface
	config *rest.Config
}

// Open makes a client with a user's kubeconfig or, if there is none, as the ServiceAccount of the Pod.
func Open(kubeconfig, context string) (*Client, error) {
	config, err := apiserver.UserConfig(kubeconfig, context)
	inPod := errors.Is(err, apiserver.ErrNoKubeconfig)
	if inPod {
		inCluster, noPod := rest.InClusterConfig()
		if noPod != nil {
			return nil, err
		}
		config, err = inCluster, nil
		config.QPS = -1 // a few requests in all
	}
	if err != nil {
		return nil, err
	}
	config.Wrap(noteThrottling)
	client, err := apiserver.JSONClient(config)
	return &Client{InPod: inPod, client: client, config: config}, err
}

// RequestTime is how long one request may take.
const RequestTime = 4 * time.Second

// Raw gets what is at a path, which may be below /api or that of a proxy.
func (a *Client) Raw(ctx context.Context, path string, query url.Values) ([]byte, error) {
	request := a.client.Get().AbsPath(path)
	for key, values := range query {
		for _, value := range values {
			request = request.Param(key, value)
		}
	}
	body, err := send(ctx, request)
	if strings.Contains(path, "/proxy/") {
		return body, err // it may be for what is behind the proxy that no reply comes
	}
	return body, apiserver.Unasked(err)
}

// Get gets an object.
func (a *Client) Get(ctx context.Context, path string, into any) error {
	body, err := a.Raw(ctx, path, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

// Review asks whether somebody may do something. about is the request, and has the answer afterwards.
func (a *Client) Review(ctx context.Context, kind string, about any) error {
	body, err := json.Marshal(about)
	if err != nil {
		return err
	}
	reply, err := send(ctx, a.client.Post().AbsPath("/apis/authorization.k8s.io/v1/"+kind).Body(body))
	if err != nil {
		return apiserver.Unasked(err)
	}
	return json.Unmarshal(reply, about)
}

// most is how many objects of a kind are looked at: a large cluster is not read as a whole.
const most = 500

// List returns at most the first objects at a path. A ServiceAccount such as that of CoreDNS may list, and may not get.
func List[T any](ctx context.Context, a *Client, path string, query ...string) (items []T, more bool, err error) {
	values := url.Values{"limit": {fmt.Sprint(most)}}
	for i := 0; i+1 < len(query); i += 2 {
		values.Set(query[i], query[i+1])
	}
	body, err := a.Raw(ctx, path, values)
	if err != nil {
		return nil, false, err
	}
	var found struct {
		Metadata metav1.ListMeta `json:"metadata"`
		Items    []T             `json:"items"`
	}
	err = json.Unmarshal(body, &found)
	return found.Items, found.Metadata.Continue != "", err
}

// hinted is an error with what helps against it.
type hinted struct {
	error
	remedy string
}

// Errorf makes an error with what helps against it.
func Errorf(remedy, format string, args ...any) error {
	return hinted{fmt.Errorf(format, args...), remedy}
}

// Unwrap returns the error itself.
func (e hinted) Unwrap() error { return e.error }

// May names the right that a request needs if it is refused.
func May(right string, err error) error {
	switch {
	case err == nil:
		return nil
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err), strings.Contains(err.Error(), "403 Forbidden"), strings.Contains(err.Error(), "is forbidden"):
		return Errorf("a user with the right to "+right, "you may not %s", right)
	case apierrors.IsNotFound(err):
		what, named := strings.CutPrefix(right, "get the ")
		if !named {
			what = "such object"
		}
		return errors.New("there is no " + what)
	}
	return err
}

// RemedyFor returns what helps against an error, or nothing.
func RemedyFor(err error) string {
	var e hinted
	switch {
	case errors.As(err, &e):
		return e.remedy
	case Unasked(err), errors.Is(err, context.DeadlineExceeded):
		return "look whether the API server answers: kubectl get --raw /readyz"
	}
	return ""
}

// Unasked reports whether the API server has not answered at all.
func Unasked(err error) bool {
	var u apiserver.UnaskedError
	return errors.As(err, &u)
}
