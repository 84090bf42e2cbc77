// Command render renders a Helm chart the way `helm template` does, on the template engine and the function library
// that Helm itself is made of. It is for tests on machines that have no helm.
//
// It reads one JSON request on stdin, {"chart": folder, "jobs": [job, ...]}, and writes one JSON list of results on
// stdout. Many jobs in one process, because starting a process costs more than rendering. What it leaves out:
// subcharts, value schemas (the caller checks `values`), signatures, hooks as anything but templates, and a cluster:
// `lookup` finds what the job brings, by its name.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/Masterminds/semver"
	"sigs.k8s.io/yaml"
)

type table = map[string]interface{}

type request struct {
	Chart string `json:"chart"`
	Jobs  []job  `json:"jobs"`
}

// job is one `helm template`: files as -f, then values as one more file, then sets as --set.
type job struct {
	Files       []string `json:"files"`
	Values      table    `json:"values"`
	Sets        []string `json:"set"`
	Release     string   `json:"release"`
	Namespace   string   `json:"namespace"`
	Upgrade     bool     `json:"upgrade"`
	KubeVersion string   `json:"kubeVersion"`
	APIVersions []string `json:"apiVersions"`
	// What lookup finds, one by one.
	Cluster []table `json:"cluster"`
}

// result holds either the error, or every rendered template by its path; the values are those the templates saw.
type result struct {
	Values    table             `json:"values,omitempty"`
	Templates map[string]string `json:"templates,omitempty"`
	Notes     string            `json:"notes,omitempty"`
	Error     string            `json:"error,omitempty"`
}

func main() {
	var req request
	if err := json.NewDecoder(os.Stdin).Decode(&req); err != nil {
		refuse(fmt.Errorf("the request is not usable: %w", err))
	}
	loaded, err := loadChart(req.Chart)
	if err != nil {
		refuse(err)
	}
	results := make([]result, 0, len(req.Jobs))
	for _, one := range req.Jobs {
		results = append(results, loaded.run(one))
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		refuse(err)
	}
}

func refuse(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func (c *chart) run(one job) (res result) {
	values, err := c.valuesFor(one)
	if err != nil {
		return result{Error: err.Error()}
	}
	res.Values = values
	caps, err := capabilitiesFor(one)
	if err == nil {
		err = c.checkKubeVersion(caps)
	}
	if err == nil {
		res.Templates, err = c.render(table{
			"Values":       values,
			"Chart":        c.metadata,
			"Files":        c.files,
			"Capabilities": caps,
			"Release":      releaseFor(one),
			"Subcharts":    table{},
		}, one.lookup)
	}
	if err != nil {
		return result{Values: values, Error: err.Error()}
	}
	for name, text := range res.Templates {
		if strings.HasSuffix(name, "NOTES.txt") {
			res.Notes = text
			delete(res.Templates, name)
		}
	}
	return res
}

// lookup finds an object of the job's cluster by its name; nothing is an empty table, as in Helm.
func (one job) lookup(apiVersion, kind, namespace, name string) (table, error) {
	for _, object := range one.Cluster {
		metadata, _ := object["metadata"].(table)
		if object["apiVersion"] == apiVersion && object["kind"] == kind &&
			metadata["namespace"] == namespace && metadata["name"] == name {
			return object, nil
		}
	}
	return table{}, nil
}

func releaseFor(one job) table {
	return table{
		"Name":      or(one.Release, "release-name"),
		"Namespace": or(one.Namespace, "default"),
		"IsInstall": !one.Upgrade,
		"IsUpgrade": one.Upgrade,
		"Revision":  1,
		"Service":   "Helm",
	}
}

// valuesFor merges as Helm: what is given later wins, tables merge, lists are replaced, and a null takes a default away.
func (c *chart) valuesFor(one job) (table, error) {
	given := table{}
	for _, name := range one.Files {
		if !filepath.IsAbs(name) {
			name = filepath.Join(c.dir, name)
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		layer := table{}
		if err := yaml.Unmarshal(text, &layer); err != nil {
			return nil, fmt.Errorf("failed to parse %s: %w", name, err)
		}
		given = overlay(given, layer)
	}
	given = overlay(given, one.Values)
	for _, assignment := range one.Sets {
		if err := set(given, assignment); err != nil {
			return nil, err
		}
	}
	return withDefaults(given, c.defaults), nil
}

// overlay merges two layers that the user gave. A null stays: it is to take away a default later on.
func overlay(under, over table) table {
	merged := table{}
	for key, value := range under {
		merged[key] = value
	}
	for key, value := range over {
		upper, isTable := value.(table)
		if lower, both := merged[key].(table); isTable && both {
			merged[key] = overlay(lower, upper)
		} else {
			merged[key] = value
		}
	}
	return merged
}

// withDefaults puts what the user gave over the defaults of the chart. A null that has no default stays.
func withDefaults(given, defaults table) table {
	merged := table{}
	for key, value := range given {
		merged[key] = value
	}
	for key, fallback := range defaults {
		value, isGiven := given[key]
		if !isGiven {
			merged[key] = fallback
			continue
		}
		if value == nil && fallback != nil {
			delete(merged, key)
			continue
		}
		upper, isTable := value.(table)
		if lower, both := fallback.(table); isTable && both {
			merged[key] = withDefaults(upper, lower)
		}
	}
	return merged
}

type kubeVersion struct{ Version, Major, Minor string }

func (v kubeVersion) String() string     { return v.Version }
func (v kubeVersion) GitVersion() string { return v.Version }

type versions []string

// Has tells whether the cluster serves an API version, as "apps/v1", or a kind of it, as "apps/v1/Deployment".
func (all versions) Has(wanted string) bool {
	for _, one := range all {
		if one == wanted {
			return true
		}
	}
	return false
}

type capabilities struct {
	KubeVersion kubeVersion
	APIVersions versions
	HelmVersion struct{ Version, GitCommit, GitTreeState, GoVersion string }
}

const defaultKubeVersion = "v1.31.0"

// What every cluster serves; custom resources come with a job.
var builtIn = versions{
	"v1", "apps/v1", "autoscaling/v1", "autoscaling/v2", "batch/v1", "networking.k8s.io/v1", "policy/v1",
	"rbac.authorization.k8s.io/v1", "scheduling.k8s.io/v1", "storage.k8s.io/v1", "apiextensions.k8s.io/v1",
	"discovery.k8s.io/v1", "coordination.k8s.io/v1", "events.k8s.io/v1", "admissionregistration.k8s.io/v1",
	"certificates.k8s.io/v1", "authentication.k8s.io/v1", "authorization.k8s.io/v1", "node.k8s.io/v1",
}

func capabilitiesFor(one job) (*capabilities, error) {
	parsed, err := semver.NewVersion(or(one.KubeVersion, defaultKubeVersion))
	if err != nil {
		return nil, fmt.Errorf("invalid kube version %q: %w", one.KubeVersion, err)
	}
	caps := &capabilities{APIVersions: append(append(versions{}, builtIn...), one.APIVersions...)}
	caps.KubeVersion.Version = "v" + parsed.String()
	caps.KubeVersion.Major = fmt.Sprint(parsed.Major())
	caps.KubeVersion.Minor = fmt.Sprint(parsed.Minor())
	caps.HelmVersion.Version = "v3.18.6"
	return caps, nil
}

func (c *chart) checkKubeVersion(caps *capabilities) error {
	if c.metadata.KubeVersion == "" {
		return nil
	}
	wanted, err := semver.NewConstraint(c.metadata.KubeVersion)
	if err != nil {
		return fmt.Errorf("Chart.yaml: kubeVersion: %w", err)
	}
	if has, err := semver.NewVersion(caps.KubeVersion.Version); err != nil || !wanted.Check(has) {
		return fmt.Errorf("chart requires kubeVersion: %s which is incompatible with Kubernetes %s",
			c.metadata.KubeVersion, caps.KubeVersion.Version)
	}
	return nil
}

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}
