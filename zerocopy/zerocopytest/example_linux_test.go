package zerocopytest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/zcprobe/zcprobe/zerocopy"
	"github.com/zcprobe/zcprobe/zerocopy/zerocopytest"
)

// A file server, asked twice: as it should be, and behind a middleware that
// wraps the http.ResponseWriter.
func Example() {
	directory, _ := os.MkdirTemp("", "www")
	defer os.RemoveAll(directory)
	_ = os.WriteFile(filepath.Join(directory, "video.mp4"), make([]byte, 1<<20), 0o600)
	files := http.FileServer(http.Dir(directory))
	hidden := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		files.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
	})

	for _, handler := range []http.Handler{files, hidden} {
		engine := zerocopy.New(zerocopy.Config{})
		server := httptest.NewUnstartedServer(handler)
		server.Listener = engine.NewListener(server.Listener)
		server.Start()

		// In a test: zerocopytest.Require(t, engine, 1<<20-zerocopytest.Sniffed, func() { … })
		recorder := zerocopytest.Record(engine)
		response, err := http.Get(server.URL + "/video.mp4")
		if err != nil {
			fmt.Println(err)
			return
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		err = recorder.Check(1<<20 - zerocopytest.Sniffed)
		fmt.Println("without a copy:", err == nil)
		server.Close()
	}
	// Output:
	// without a copy: true
	// without a copy: false
}
