package probe

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func TestShowPaths(t *testing.T) {
	list := Paths("linux")
	switch os.Getenv("SHOW") {
	case "":
		t.Skip()
	case "grid":
		list = nil
		for _, m := range movers {
			for _, a := range Kinds() {
				for _, b := range Kinds() {
					if a.Source != nil && b.Sink != nil && m.Refuses(a, b) == "" && m.Facility != readWrite {
						list = append(list, Path{m.Facility, a.Name, b.Name})
					}
				}
			}
		}
	}
	begun := time.Now()
	results, _ := RunPaths(context.Background(), pathPool(t), list, nil)
	took := time.Since(begun)
	var b strings.Builder
	for _, r := range results {
		fmt.Fprintf(&b, "PATH %-16s %-8s %-8s works=%-5v %-8s right=%-5v %s\n", r.Facility, r.Source, r.Destination, r.Works, r.Errno, r.BytesRight, r.Witness)
	}
	fmt.Print(b.String(), "PATHS took ", took, "\n")
}
