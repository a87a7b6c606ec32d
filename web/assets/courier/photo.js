// Photos: made small enough for a stairwell's network, and named by the SHA-256
// of the very bytes that will be sent.

const longest = 2048; // pixels a side, as readers see it
const quality = 0.82;

// prepare gives { blob, sha256 } of a picture that the camera took. Drawn anew it
// has no place, time or device in it.
export async function prepare(file) {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, longest / Math.max(picture.width, picture.height));
  const canvas = new OffscreenCanvas(Math.round(picture.width * scale), Math.round(picture.height * scale));
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality });
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  return { blob, sha256: Array.from(sum, (b) => b.toString(16).padStart(2, "0")).join("") };
}
