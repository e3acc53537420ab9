package kube

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
)

var codecs = serializer.NewCodecFactory(newScheme()).WithoutConversion()

func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
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
	publish.AddToScheme(scheme)
	return scheme
}
