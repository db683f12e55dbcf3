package cases

import (
	"encoding/json"
	"fmt"
)

// MarshalJSON writes the alternatives as {"one_of": […]}.
func (o OneOf) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string][]any{"one_of": o})
}

// UnmarshalJSON keeps whole numbers whole.
func (f *Facts) UnmarshalJSON(text []byte) error {
	*f = Facts{}
	return members(text, func(name string, raw json.RawMessage) (err error) {
		(*f)[name], err = scalar(name, raw)
		return err
	})
}

// UnmarshalJSON is the inverse of how plain values, OneOf and Between are
// written.
func (w *Want) UnmarshalJSON(text []byte) error {
	*w = Want{}
	return members(text, func(name string, raw json.RawMessage) (err error) {
		(*w)[name], err = wanted(name, raw)
		return err
	})
}

func members(text []byte, each func(name string, raw json.RawMessage) error) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	for name, raw := range all {
		if err := each(name, raw); err != nil {
			return err
		}
	}
	return nil
}

// scalar reads an int64, a string or a bool.
func scalar(name string, raw json.RawMessage) (any, error) {
	var number int64
	if json.Unmarshal(raw, &number) == nil && string(raw) != "null" {
		return number, nil
	}
	var other any
	if err := json.Unmarshal(raw, &other); err != nil {
		return nil, err
	}
	switch other.(type) {
	case string, bool:
		return other, nil
	default:
		return nil, fmt.Errorf("fact %q is neither a whole number, a string nor a truth value", name)
	}
}

func wanted(name string, raw json.RawMessage) (any, error) {
	if len(raw) == 0 || raw[0] != '{' {
		return scalar(name, raw)
	}
	var either struct {
		OneOf []json.RawMessage `json:"one_of"`
		Min   *int64            `json:"min"`
		Max   *int64            `json:"max"`
	}
	if err := json.Unmarshal(raw, &either); err != nil {
		return nil, err
	}
	switch {
	case either.OneOf != nil:
		list := make(OneOf, len(either.OneOf))
		for i, w := range either.OneOf {
			var err error
			if list[i], err = scalar(name, w); err != nil {
				return nil, err
			}
		}
		return list, nil
	case either.Min != nil && either.Max != nil:
		return Between{*either.Min, *either.Max}, nil
	default:
		return nil, fmt.Errorf("expectation of %q is neither a value, alternatives nor a range", name)
	}
}
