package matrix

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxRecord is far above the size of any honest record: records come from
// strangers.
const maxRecord = 32 << 20

// ReadFile reads a run record. The error is one line that names the file and
// what is wrong with it: too large, cut short, another schema, altered.
func ReadFile(path string) (*Record, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read record: %w", err)
	}
	defer file.Close()
	r, err := Read(file)
	if err != nil {
		return nil, fmt.Errorf("read record %s: %w", path, err)
	}
	return r, nil
}

// Read is ReadFile on a stream.
func Read(from io.Reader) (*Record, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxRecord+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxRecord {
		return nil, fmt.Errorf("larger than %d MiB, no run record is", maxRecord>>20)
	}
	var head struct {
		Schema *string `json:"schema"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, unreadable(err)
	}
	switch {
	case head.Schema == nil:
		return nil, errors.New("no run record: it has no schema")
	case *head.Schema != Schema:
		return nil, fmt.Errorf("its schema is %.40q and this zcprobe reads %q: use the release that wrote it", *head.Schema, Schema)
	}
	r := &Record{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, unreadable(err)
	}
	digest, err := r.digest()
	if err != nil {
		return nil, err
	}
	if r.Digest != digest {
		return nil, errors.New("its digest does not fit: the record was altered, or written by another release")
	}
	return r, nil
}

// unreadable tells a file that was cut short from one that never was a record.
func unreadable(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && syntax.Error() == "unexpected end of JSON input" {
		return errors.New("the record is cut short")
	}
	return fmt.Errorf("no run record: %w", err)
}

// WriteJSON writes v as indented JSON, whole or not at all: into a file beside
// path that is then renamed. What is no regular file (a device, a FIFO) is
// written as it is; "-" is standard output.
func WriteJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return WriteFile(path, append(text, '\n'))
}

// WriteFile writes as WriteJSON does.
func WriteFile(path string, text []byte) error {
	if path == "-" {
		_, err := os.Stdout.Write(text)
		return err
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(path, text, 0o644)
	}
	beside, err := createBeside(path)
	if err != nil {
		return err
	}
	_, err = beside.Write(text)
	err = errors.Join(err, beside.Chmod(0o644), beside.Close())
	if err == nil {
		err = os.Rename(beside.Name(), path)
	}
	if err != nil {
		os.Remove(beside.Name())
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// CheckWritable says what is in the way of WriteFile, before there is anything
// to write.
func CheckWritable(path string) error {
	if path == "-" {
		return nil
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		if info.IsDir() {
			return fmt.Errorf("write %s: is a directory", path)
		}
		return nil
	}
	beside, err := createBeside(path)
	if err != nil {
		return err
	}
	beside.Close()
	return os.Remove(beside.Name())
}

// createBeside makes the file that is to become path.
func createBeside(path string) (*os.File, error) {
	beside, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		var at *os.PathError
		if errors.As(err, &at) { // the name of the temporary file helps nobody
			err = at.Err
		}
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	return beside, nil
}
