package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/gobwas/glob"
	"sigs.k8s.io/yaml"
)

// chart is a chart without subcharts. Its templates are by path, as "rookery/templates/service.yaml".
type chart struct {
	dir       string
	metadata  *metadata
	defaults  table
	files     files
	templates map[string]string
}

// metadata is .Chart: a structure, so that a field which does not exist is an error, as it is in Helm.
type metadata struct {
	Name, Home, Version, Description, Icon, APIVersion, Condition, Tags, AppVersion, KubeVersion, Type string
	Sources, Keywords                                                                                  []string
	Maintainers                                                                                        []struct{ Name, Email, URL string }
	Deprecated                                                                                         bool
	Annotations                                                                                        map[string]string
	Dependencies                                                                                       []table
	IsRoot                                                                                             bool `json:"-"`
}

func loadChart(dir string) (*chart, error) {
	loaded := &chart{dir: dir, metadata: &metadata{IsRoot: true}, defaults: table{}, files: files{}, templates: map[string]string{}}
	if err := readYaml(filepath.Join(dir, "Chart.yaml"), loaded.metadata); err != nil {
		return nil, err
	}
	if err := readYaml(filepath.Join(dir, "values.yaml"), &loaded.defaults); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	ignored, err := readIgnored(filepath.Join(dir, ".helmignore"))
	if err != nil {
		return nil, err
	}
	return loaded, filepath.Walk(dir, func(name string, info os.FileInfo, err error) error {
		if err != nil || name == dir {
			return err
		}
		relative, _ := filepath.Rel(dir, name)
		if ignored.match(relative, info.IsDir()) {
			if info.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if info.IsDir() {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		loaded.add(filepath.ToSlash(relative), text)
		return nil
	})
}

func (c *chart) add(relative string, text []byte) {
	switch {
	case relative == "Chart.yaml", relative == "Chart.lock", relative == "values.yaml", relative == "values.schema.json":
	case strings.HasPrefix(relative, "charts/"):
	case strings.HasPrefix(relative, "templates/"):
		c.templates[path.Join(c.metadata.Name, relative)] = string(text)
	default:
		c.files[relative] = text
	}
}

func readYaml(name string, into interface{}) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		return fmt.Errorf("cannot load %s: %w", filepath.Base(name), err)
	}
	return nil
}

// ignored are the patterns of .helmignore: a name anywhere, "/name" at the top, "name/" a folder. No "!", no "**".
type ignored []string

func readIgnored(name string) (ignored, error) {
	text, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	patterns := ignored{"templates/.?*"}
	for _, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.HasPrefix(line, "!") || strings.Contains(line, "**") {
			return nil, fmt.Errorf(".helmignore: %q is not supported here", line)
		}
		patterns = append(patterns, line)
	}
	return patterns, nil
}

func (patterns ignored) match(relative string, isDir bool) bool {
	for _, pattern := range patterns {
		bare := strings.TrimSuffix(pattern, "/")
		if bare != pattern && !isDir {
			continue
		}
		subject := relative
		if !strings.Contains(bare, "/") {
			subject = path.Base(relative)
		}
		if hit, _ := path.Match(strings.TrimPrefix(bare, "/"), subject); hit {
			return true
		}
	}
	return false
}

// files is .Files: what lies in the chart and is neither a template nor one of Helm's own files.
type files map[string][]byte

func (f files) GetBytes(name string) []byte { return append([]byte{}, f[name]...) }
func (f files) Get(name string) string      { return string(f[name]) }

// Glob keeps the files that match; "**" crosses folders. A pattern that cannot be read matches all, as in Helm.
func (f files) Glob(pattern string) files {
	compiled, err := glob.Compile(pattern, '/')
	if err != nil {
		compiled = glob.MustCompile("**")
	}
	kept := files{}
	for name, text := range f {
		if compiled.Match(name) {
			kept[name] = text
		}
	}
	return kept
}

func (f files) AsConfig() string {
	return f.flat(func(text []byte) string { return string(text) })
}

func (f files) AsSecrets() string {
	return f.flat(base64.StdEncoding.EncodeToString)
}

func (f files) flat(encode func([]byte) string) string {
	if f == nil {
		return ""
	}
	data := map[string]string{}
	for name, text := range f {
		data[path.Base(name)] = encode(text)
	}
	return toYaml(data)
}

func (f files) Lines(name string) []string {
	if len(f[name]) == 0 {
		return []string{}
	}
	return strings.Split(strings.TrimSuffix(string(f[name]), "\n"), "\n")
}
