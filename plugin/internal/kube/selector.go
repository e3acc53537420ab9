package kube

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
)

// selectors are the label selectors of a Config, by the kinds of object that they apply to.
type selectors struct {
	objects    labels.Selector // Services and Pods
	slices     labels.Selector // EndpointSlices of the cluster's own Services
	imported   labels.Selector // EndpointSlices of ServiceImports
	namespaces labels.Selector
}

func parseSelectors(cfg Config) (s selectors, err error) {
	if s.objects, err = labels.Parse(cfg.Labels); err != nil {
		return s, fmt.Errorf("label selector %q: %w", cfg.Labels, err)
	}
	if s.namespaces, err = labels.Parse(cfg.NamespaceLabels); err != nil {
		return s, fmt.Errorf("label selector of Namespaces %q: %w", cfg.NamespaceLabels, err)
	}
	if s.imported, err = having(s.objects, convert.LabelServiceImport); err != nil {
		return s, err
	}
	if s.slices = s.objects; cfg.HeadlessOnly {
		s.slices, err = having(s.objects, corev1.IsHeadlessService)
	}
	return s, err
}

// having narrows a selector to objects that have a label, whatever its value.
func having(s labels.Selector, label string) (labels.Selector, error) {
	exists, err := labels.NewRequirement(label, selection.Exists, nil)
	if err != nil {
		return nil, err
	}
	return s.Add(*exists), nil
}

// selects reports whether the API server would return an object, given its labels.
func (d *description) selects(obj metav1.Object) bool {
	return d.labels.Matches(labels.Set(obj.GetLabels()))
}

// CheckSelector returns an error if a label selector cannot be parsed.
func CheckSelector(text string) error {
	_, err := labels.Parse(text)
	return err
}
