// Package matrix holds what runs of the suite leave behind: the run record, its
// files, and the comparison of two of them.
package matrix

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/zcprobe/zcprobe/cases"
	"github.com/zcprobe/zcprobe/probe"
)

// Schema is the name and version of the format of a run record.
const Schema = "zcprobe.run/1"

// Record is all that one run found out on one target. record.schema.json
// describes its JSON form.
type Record struct {
	Schema     string             `json:"schema"`
	Tool       Tool               `json:"tool"`
	Suite      string             `json:"suite"` // cases.SuiteDigest
	Target     TargetInfo         `json:"target"`
	Started    time.Time          `json:"started"`
	DurationMS int64              `json:"duration_ms"`
	Backend    string             `json:"backend"` // zerocopy.BackendName
	Features   []probe.Finding    `json:"features"`
	Cases      []cases.Result     `json:"cases"`
	Paths      []probe.PathResult `json:"paths"`
	Complete   bool               `json:"complete"` // false when the run was cut short
	Digest     string             `json:"digest"`   // over all that two runs on one kernel share
}

// Tool is the program that made a record.
type Tool struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

// TargetInfo is what the run ran on.
type TargetInfo struct {
	ID string `json:"id"`
	probe.Host
	Run          *Way          `json:"run,omitempty"`           // how the matrix got there; nil for a plain run
	LibraryTests *LibraryTests `json:"library_tests,omitempty"` // nil where they were not run
}

// Seal brings the record into its final form and sets its digest.
func (r *Record) Seal() error {
	r.Schema = Schema
	r.Features, r.Cases, r.Paths = list(r.Features), list(r.Cases), list(r.Paths)
	// Once through JSON and back, so that what the digest covers is what a
	// reader sees: text that is no UTF-8 changes on the way.
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	*r = Record{}
	if err := json.Unmarshal(text, r); err != nil {
		return err
	}
	r.Digest, err = r.digest()
	return err
}

// list is never nil, so that JSON shows [] and not null.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// Canonical is the part of a record that two runs on one kernel share: no
// times, no durations, no digest, and not by which command it was asked for.
func (r *Record) Canonical() Record {
	c := *r
	c.Started, c.DurationMS, c.Digest = time.Time{}, 0, ""
	if r.Target.Run != nil {
		way := *r.Target.Run
		way.Command, way.Attempts = "", 0
		c.Target.Run = &way
	}
	c.Cases = make([]cases.Result, len(r.Cases))
	for i, result := range r.Cases {
		result.DurationUS = 0
		c.Cases[i] = result
	}
	return c
}

func (r *Record) digest() (string, error) {
	text, err := json.Marshal(r.Canonical())
	if err != nil {
		return "", fmt.Errorf("digest of record: %w", err)
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// Count counts the cases with a verdict.
func (r *Record) Count(v cases.Verdict) int {
	n := 0
	for _, c := range r.Cases {
		if c.Verdict == v {
			n++
		}
	}
	return n
}
