package kube

import (
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	_ "k8s.io/client-go/plugin/pkg/client/auth/oidc" // a kubeconfig may ask for it
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/slimpb"
)

// restConfig is how the API server of cfg is reached.
func restConfig(cfg Config) (*rest.Config, error) {
	c, err := baseConfig(cfg)
	if err != nil {
		return nil, err
	}
	if err := separateUser(c); err != nil {
		return nil, err
	}
	c.ContentType = kruntime.ContentTypeProtobuf
	c.AcceptContentTypes = kruntime.ContentTypeProtobuf + "," + kruntime.ContentTypeJSON
	c.UserAgent = userAgent()
	c.WarningHandler = rest.NoWarnings{}
	c.QPS = -1 // throttle has the limits
	return c, nil
}

func baseConfig(cfg Config) (*rest.Config, error) {
	switch {
	case cfg.Kubeconfig != "":
		return kubeconfig(cfg)
	case cfg.Endpoint != "":
		files := rest.TLSClientConfig{CertFile: cfg.CertFile, KeyFile: cfg.KeyFile, CAFile: cfg.CAFile}
		return &rest.Config{Host: cfg.Endpoint, TLSClientConfig: files}, nil
	default:
		return rest.InClusterConfig()
	}
}

func kubeconfig(cfg Config) (*rest.Config, error) {
	rules := &clientcmd.ClientConfigLoadingRules{ExplicitPath: cfg.Kubeconfig}
	overrides := &clientcmd.ConfigOverrides{CurrentContext: cfg.Context}
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	c, err := loader.ClientConfig()
	if err == nil {
		return c, nil
	}
	var urls []string
	if raw, err := loader.RawConfig(); err == nil {
		for _, cluster := range raw.Clusters {
			urls = append(urls, cluster.Server, cluster.ProxyURL)
		}
	}
	return nil, redactError(err, urls...)
}

func userAgent() string {
	version := "unknown"
	if build, ok := debug.ReadBuildInfo(); ok && build.Main.Version != "" {
		version = build.Main.Version
	}
	return fmt.Sprintf("clusterdns/%s (%s/%s)", version, runtime.GOOS, runtime.GOARCH)
}

// newRESTClient makes a client of one API group. client-go's typed clients would
// bring the types of all groups into memory; we decode ten.
func newRESTClient(about *rest.Config, f *feed, version schema.GroupVersion, client *http.Client) (rest.Interface, error) {
	c := rest.CopyConfig(about)
	c.GroupVersion = &version
	c.NegotiatedSerializer = codecs
	if f.decode != nil {
		c.NegotiatedSerializer = slimpb.Codecs(codecs, version.WithKind(f.kind), f.decode)
	}
	c.APIPath = "/apis"
	if version.Group == "" {
		c.APIPath = "/api"
	}
	return rest.RESTClientForConfigAndClient(c, client)
}

var codecs = serializer.NewCodecFactory(newScheme()).WithoutConversion()

func newScheme() *kruntime.Scheme {
	scheme := kruntime.NewScheme()
	scheme.AddKnownTypes(corev1.SchemeGroupVersion,
		new(corev1.Service), new(corev1.ServiceList),
		new(corev1.Namespace), new(corev1.NamespaceList),
		new(corev1.Pod), new(corev1.PodList))
	scheme.AddKnownTypes(discoveryv1.SchemeGroupVersion,
		new(discoveryv1.EndpointSlice), new(discoveryv1.EndpointSliceList))
	metav1.AddToGroupVersion(scheme, corev1.SchemeGroupVersion)
	metav1.AddToGroupVersion(scheme, discoveryv1.SchemeGroupVersion)
	for _, version := range importVersions {
		scheme.AddKnownTypeWithName(version.WithKind("ServiceImport"), new(convert.ServiceImport))
		scheme.AddKnownTypeWithName(version.WithKind("ServiceImportList"), new(serviceImportList))
		metav1.AddToGroupVersion(scheme, version)
	}
	return scheme
}
