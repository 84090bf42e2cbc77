package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"sort"
	"strings"
	"text/template"

	"github.com/BurntSushi/toml"
	"github.com/Masterminds/sprig"
	"gopkg.in/yaml.v3"
	k8syaml "sigs.k8s.io/yaml"
)

// How deep a template may include itself; as in Helm.
const maxIncludes = 1000

// What `fail` and `required` say, kept apart from the trace that text/template puts around it.
type stated struct{ message string }

func (s stated) Error() string { return s.message }

// render gives every template but the partials, by its path.
func (c *chart) render(top table, lookup interface{}) (rendered map[string]string, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			err = fmt.Errorf("rendering template failed: %v", caught)
		}
	}()
	root := template.New("gotpl").Option("missingkey=zero").Funcs(functions())
	root.Funcs(template.FuncMap{"lookup": lookup})
	bind(root, map[string]int{})
	names := c.templateNames()
	for _, name := range names {
		if _, err := root.New(name).Parse(c.templates[name]); err != nil {
			return nil, fmt.Errorf("parse error: %w", err)
		}
	}
	rendered = map[string]string{}
	for _, name := range names {
		if strings.HasPrefix(path.Base(name), "_") {
			continue
		}
		top["Template"] = table{"Name": name, "BasePath": path.Join(c.metadata.Name, "templates")}
		text, err := execute(root.Lookup(name), top)
		if err != nil {
			return nil, explain(err)
		}
		rendered[name] = text
	}
	return rendered, nil
}

// templateNames puts deep files first, so that what lies higher up redefines what they define.
func (c *chart) templateNames() []string {
	names := make([]string, 0, len(c.templates))
	for name := range c.templates {
		names = append(names, name)
	}
	sort.Slice(names, func(a, b int) bool {
		depthA, depthB := strings.Count(names[a], "/"), strings.Count(names[b], "/")
		if depthA != depthB {
			return depthA > depthB
		}
		return names[a] > names[b]
	})
	return names
}

// execute runs one template. A value that is not there prints as "<no value>", whatever missingkey says; Helm takes
// those words out again.
func execute(one *template.Template, data interface{}) (string, error) {
	var out strings.Builder
	if err := one.Execute(&out, data); err != nil {
		return "", err
	}
	return strings.ReplaceAll(out.String(), "<no value>", ""), nil
}

func explain(err error) error {
	var said stated
	if !errors.As(err, &said) {
		return err
	}
	// "template: chart/templates/file.yaml:1:2: executing ..."
	if parts := strings.SplitN(err.Error(), ": ", 3); len(parts) == 3 {
		return fmt.Errorf("execution error at (%s): %s", parts[1], said.message)
	}
	return said
}

// bind gives a set of templates the functions that render other templates of the same set.
func bind(root *template.Template, depth map[string]int) {
	root.Funcs(template.FuncMap{
		"include": func(name string, data interface{}) (string, error) {
			if depth[name] > maxIncludes {
				return "", fmt.Errorf("rendering template has a nested reference name: %s", name)
			}
			depth[name]++
			defer func() { depth[name]-- }()
			var out strings.Builder
			err := root.ExecuteTemplate(&out, name, data)
			return out.String(), err
		},
		"tpl": func(text string, data interface{}) (string, error) {
			// What a tpl defines is seen by itself alone.
			clone, err := root.Clone()
			if err != nil {
				return "", err
			}
			// A clone loses the option (golang/go#43022).
			clone.Option("missingkey=zero")
			bind(clone, depth)
			parsed, err := clone.New(root.Name()).Parse(text)
			if err != nil {
				return "", fmt.Errorf("cannot parse template %q: %w", text, err)
			}
			out, err := execute(parsed, data)
			if err != nil {
				return "", fmt.Errorf("error during tpl function execution for %q: %w", text, err)
			}
			return out, nil
		},
	})
}

// functions are sprig's without those that read the machine, and Helm's own.
func functions() template.FuncMap {
	all := sprig.TxtFuncMap()
	delete(all, "env")
	delete(all, "expandenv")
	own := template.FuncMap{
		"getHostByName": func(string) string { return "" },
		"lookup":        func(string, string, string, string) (table, error) { return table{}, nil },
		"fail":          func(message string) (string, error) { return "", stated{message} },
		"required": func(message string, value interface{}) (interface{}, error) {
			if value == nil || value == "" {
				return value, stated{message}
			}
			return value, nil
		},
		"toYaml":        toYaml,
		"toYamlPretty":  toYamlPretty,
		"mustToYaml":    func(value interface{}) (string, error) { return yamlOf(value) },
		"fromYaml":      func(text string) table { return mapFrom(text, unmarshalYaml) },
		"fromYamlArray": func(text string) []interface{} { return listFrom(text, unmarshalYaml) },
		"toJson":        func(value interface{}) string { text, _ := json.Marshal(value); return string(text) },
		"mustToJson":    func(value interface{}) (string, error) { text, err := json.Marshal(value); return string(text), err },
		"fromJson":      func(text string) table { return mapFrom(text, json.Unmarshal) },
		"fromJsonArray": func(text string) []interface{} { return listFrom(text, json.Unmarshal) },
		"toToml":        toToml,
		"fromToml":      func(text string) table { return mapFrom(text, toml.Unmarshal) },
		"include":       func(string, interface{}) string { return "" },
		"tpl":           func(string, interface{}) string { return "" },
	}
	for name, function := range own {
		all[name] = function
	}
	return all
}

func unmarshalYaml(text []byte, into interface{}) error { return k8syaml.Unmarshal(text, into) }

// yamlOf goes by way of JSON, so that numbers and keys come out as Helm prints them.
func yamlOf(value interface{}) (string, error) {
	text, err := k8syaml.Marshal(value)
	return strings.TrimSuffix(string(text), "\n"), err
}

func toYaml(value interface{}) string {
	text, err := yamlOf(value)
	if err != nil {
		return ""
	}
	return text
}

func toYamlPretty(value interface{}) string {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if encoder.Encode(value) != nil {
		return ""
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func toToml(value interface{}) string {
	var out bytes.Buffer
	if err := toml.NewEncoder(&out).Encode(value); err != nil {
		return err.Error()
	}
	return out.String()
}

// mapFrom puts an error into the table: Helm's readers do not fail.
func mapFrom(text string, read func([]byte, interface{}) error) table {
	into := table{}
	if err := read([]byte(text), &into); err != nil {
		into["Error"] = err.Error()
	}
	return into
}

func listFrom(text string, read func([]byte, interface{}) error) []interface{} {
	into := []interface{}{}
	if err := read([]byte(text), &into); err != nil {
		return []interface{}{err.Error()}
	}
	return into
}
