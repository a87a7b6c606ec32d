// The row of an operation is a button, so the path and the tag in it are text:
// a link inside a button is for nobody. Opening a row still changes the address.
const plainText = {
  wrapComponents: {
    DeepLink: (_, { React }) => ({ text }) => React.createElement("span", null, text),
  },
};

SwaggerUIBundle({
  url: "/openapi.yaml",
  dom_id: "#swagger-ui",
  deepLinking: true,
  plugins: [plainText],
  syntaxHighlight: { activated: false }, // its colours are too faint
  validatorUrl: null, // else the contract's address is sent to a validator on the web
});
