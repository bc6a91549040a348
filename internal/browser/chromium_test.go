// Package browser_test looks at pages of hew report as a browser shows them: in a
// Chromium of a pinned version, which it installs itself. It is a module of its own, so
// that what drives the browser is no dependency of hew.
package browser_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// The package of the npm registry that holds Chromium's headless shell for linux/amd64,
// the libraries that a bare Linux has not, and a font, and npm's digest of it.
const (
	chromiumPackage = "@sparticuz/chromium@153.0.0"
	chromiumFile    = "sparticuz-chromium-153.0.0.tgz"
	chromiumSHA512  = "jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA=="
)

// fontsConf has the browser use the fonts of a directory alone.
const fontsConf = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>%[1]s/fonts</dir><cachedir>%[1]s/cache</cachedir></fontconfig>
`

// start returns a browser that ends with the test. Its first tab is the context's.
func start(t *testing.T) context.Context {
	t.Helper()
	dir := install(t)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(filepath.Join(dir, "chromium")),
		chromedp.Env("LD_LIBRARY_PATH="+filepath.Join(dir, "lib"), "FONTCONFIG_FILE="+filepath.Join(dir, "fonts.conf"), "HOME="+t.TempDir()),
		chromedp.NoSandbox, // it may run as root, and shows pages of ours alone
		chromedp.DisableGPU, chromedp.Flag("font-render-hinting", "none"), chromedp.UserDataDir(t.TempDir()),
	)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx), "the browser must start")
	return ctx
}

// install returns a directory of the user's cache with the browser, its libraries in
// lib, and its fonts. The first time it needs npm and its registry.
func install(t *testing.T) string {
	require.Equal(t, "linux/amd64", runtime.GOOS+"/"+runtime.GOARCH, "the pinned browser is for")
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	dir := filepath.Join(cache, "hew-browser", strings.TrimSuffix(chromiumFile, ".tgz"))
	ready := filepath.Join(dir, "ready")
	if _, err := os.Stat(ready); err == nil {
		return dir
	}
	require.NoError(t, os.RemoveAll(dir)) // what an interrupted run left
	require.NoError(t, os.MkdirAll(dir, 0o777))
	unpack(t, dir, fetch(t))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "fonts.conf"), fmt.Appendf(nil, fontsConf, dir), 0o666))
	require.NoError(t, os.WriteFile(ready, nil, 0o666))
	return dir
}

// fetch returns the package.
func fetch(t *testing.T) []byte {
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "npm", "pack", "--silent", chromiumPackage)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "npm pack %s: %s", chromiumPackage, out)
	data, err := os.ReadFile(filepath.Join(dir, chromiumFile))
	require.NoError(t, err)
	sum := sha512.Sum512(data)
	require.Equal(t, chromiumSHA512, base64.StdEncoding.EncodeToString(sum[:]), "the package is not the pinned one")
	return data
}

// unpack writes what is in the package into dir.
func unpack(t *testing.T, dir string, data []byte) {
	zipped, err := gzip.NewReader(bytes.NewReader(data))
	require.NoError(t, err)
	eachFile(t, zipped, func(name string, r io.Reader) {
		switch name {
		case "package/bin/chromium.br":
			write(t, filepath.Join(dir, "chromium"), brotli.NewReader(r), 0o777)
		case "package/bin/al2023.tar.br", "package/bin/fonts.tar.br":
			eachFile(t, brotli.NewReader(r), func(name string, r io.Reader) {
				write(t, filepath.Join(dir, name), r, 0o666)
			})
		}
	})
}

// eachFile calls f with each file of an archive.
func eachFile(t *testing.T, r io.Reader, f func(name string, r io.Reader)) {
	archive := tar.NewReader(r)
	for {
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		if head.Typeflag == tar.TypeReg && fs.ValidPath(head.Name) {
			f(head.Name, archive)
		}
	}
}

func write(t *testing.T, name string, r io.Reader, mode fs.FileMode) {
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o777))
	out, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode)
	require.NoError(t, err)
	_, err = io.Copy(out, r)
	require.NoError(t, errors.Join(err, out.Close()))
}
