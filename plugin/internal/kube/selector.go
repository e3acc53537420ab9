package kube

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
)

// selectors are the label selectors of a Config, by the kinds of object that they apply to.
type selectors struct {
	objects    labels.Selector // Services, Pods and EndpointSlices
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
	imported, err := labels.NewRequirement(convert.LabelServiceImport, selection.Exists, nil)
	if err != nil {
		return s, err
	}
	s.imported = s.objects.Add(*imported)
	return s, nil
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
