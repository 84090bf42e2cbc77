package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var segment = regexp.MustCompile(`^((?:\\.|[^.\[\\])+)((?:\[\d+\])*)(?:\.|$)`)
var position = regexp.MustCompile(`\d+`)

// set does one assignment of --set: path=value, where a path has names, "\." for a dot in a name and "[0]" for a place
// in a list, and a value is null, a boolean, a whole number, {a,b} or a string. No commas between assignments.
func set(into table, assignment string) error {
	name, text, found := strings.Cut(assignment, "=")
	if !found {
		return fmt.Errorf("--set %s: key has no value", assignment)
	}
	steps, err := stepsOf(name)
	if err != nil {
		return err
	}
	put(into, steps, typed(text))
	return nil
}

// stepsOf cuts a path into names (string) and places in lists (int).
func stepsOf(name string) ([]interface{}, error) {
	steps := []interface{}{}
	for rest := name; rest != ""; {
		found := segment.FindStringSubmatch(rest)
		if found == nil {
			return nil, fmt.Errorf("--set %s: cannot be read from %q on", name, rest)
		}
		steps = append(steps, strings.ReplaceAll(found[1], `\`, ""))
		for _, digits := range position.FindAllString(found[2], -1) {
			index, _ := strconv.Atoi(digits)
			steps = append(steps, index)
		}
		rest = rest[len(found[0]):]
	}
	return steps, nil
}

func put(into interface{}, steps []interface{}, value interface{}) interface{} {
	if len(steps) == 0 {
		return value
	}
	if name, isName := steps[0].(string); isName {
		within, isTable := into.(table)
		if !isTable {
			within = table{}
		}
		within[name] = put(within[name], steps[1:], value)
		return within
	}
	list, _ := into.([]interface{})
	index := steps[0].(int)
	for len(list) <= index {
		list = append(list, nil)
	}
	list[index] = put(list[index], steps[1:], value)
	return list
}

func typed(text string) interface{} {
	if strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}") {
		list := []interface{}{}
		for _, one := range strings.Split(strings.Trim(text, "{}"), ",") {
			if one != "" {
				list = append(list, typed(one))
			}
		}
		return list
	}
	switch text {
	case "null":
		return nil
	case "true", "false":
		return text == "true"
	case "0":
		return int64(0)
	}
	// A leading zero makes a string, as in Helm.
	if number, err := strconv.ParseInt(text, 10, 64); err == nil && !strings.HasPrefix(text, "0") {
		return number
	}
	return text
}
