package blobs_test

import (
	"bytes"
	"crypto/rand"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/blobs"
	"doorstep/store/storetest"
)

// files lists what is in a folder, by path.
func files(t *testing.T, root string) (list []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, path)
		}
		return err
	}))
	return list
}

func TestAFolderKeepsGivesBackAndDeletes(t *testing.T) {
	ctx, root := t.Context(), filepath.Join(t.TempDir(), "blobs")
	f := blobs.OpenFolder(root)
	name := doorstep.MakeID(7)
	require.NoError(t, f.Put(ctx, name, []byte("a picture")))
	got, err := f.Get(ctx, name)
	require.NoError(t, err)
	require.Equal(t, "a picture", string(got))
	require.Equal(t, []string{filepath.Join(root, name[len(name)-2:], name[len(name)-4:len(name)-2], name)}, files(t, root))

	require.NoError(t, f.Delete(ctx, name))
	require.NoError(t, f.Delete(ctx, name), "what is gone is gone")
	_, err = f.Get(ctx, name)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Empty(t, files(t, root))
}

func TestDeletingABlobTakesWhatACrashLeftOfIt(t *testing.T) {
	ctx, root := t.Context(), t.TempDir()
	f := blobs.OpenFolder(root)
	name := doorstep.MakeID(7)
	require.NoError(t, f.Put(ctx, name, []byte("a picture")))
	whole := files(t, root)[0]
	require.NoError(t, os.Rename(whole, whole+".part"))
	_, err := f.Get(ctx, name)
	require.ErrorIs(t, err, os.ErrNotExist, "half a blob is none")
	require.NoError(t, f.Delete(ctx, name))
	require.Empty(t, files(t, root))
}

func TestNamesCannotLeaveTheFolder(t *testing.T) {
	ctx, root := t.Context(), t.TempDir()
	f := blobs.OpenFolder(filepath.Join(root, "blobs"))
	for _, name := range []string{"", "abcd", "../../etc", "a/b/c/d", "..........", "UPPER-CASE", "a.part", `a\b\c\d`} {
		require.Error(t, f.Put(ctx, name, []byte("x")), name)
		_, err := f.Get(ctx, name)
		require.Error(t, err, name)
		require.Error(t, f.Delete(ctx, name), name)
	}
	require.Empty(t, files(t, root))
}

func TestAStolenDiskShowsNothing(t *testing.T) {
	ctx, root := t.Context(), t.TempDir()
	folder := blobs.OpenFolder(root)
	sealed := blobs.Sealed{Store: folder, Vault: storetest.Vault(t)}
	body := []byte(strings.Repeat("a picture of a door ", 100))
	one, two := doorstep.MakeID(7), doorstep.MakeID(7)
	require.NoError(t, sealed.Put(ctx, one, body))
	got, err := sealed.Get(ctx, one)
	require.NoError(t, err)
	require.Equal(t, body, got)

	onDisk, err := folder.Get(ctx, one)
	require.NoError(t, err)
	require.NotContains(t, string(onDisk), "door")
	require.NoError(t, folder.Put(ctx, two, onDisk))
	_, err = sealed.Get(ctx, two)
	require.Error(t, err, "a blob under another's name")
	damaged := bytes.Clone(onDisk)
	damaged[len(damaged)/2] ^= 1
	require.NoError(t, folder.Put(ctx, one, damaged))
	_, err = sealed.Get(ctx, one)
	require.Error(t, err, "a blob with a changed byte")
	require.NoError(t, sealed.Delete(ctx, one))
	require.NoError(t, sealed.Delete(ctx, two))
	require.Empty(t, files(t, root))

	random := make([]byte, 1<<20)
	_, _ = rand.Read(random)
	require.NoError(t, sealed.Put(ctx, two, random))
	got, err = sealed.Get(ctx, two)
	require.NoError(t, err)
	require.True(t, bytes.Equal(random, got))
}
