//! Encryption: what of the server's certificate is verified, and the certificate that this end shows.

use std::io;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::socket::invalid;
use crate::connectors::pem::Pem;
use crate::connectors::postgres::settings::{Encryption, Settings};

/// What is verified follows libpq: `prefer` and `require` nothing (but `require` with root certificates is `verify-ca`),
/// `verify-ca` the chain, `verify-full` the chain and the host name.
pub(super) fn config(settings: &Settings) -> io::Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let checks_chain = match settings.encryption {
        Encryption::Disable | Encryption::Prefer => false,
        Encryption::Require => settings.root_certificates.is_some(),
        Encryption::VerifyCa | Encryption::VerifyFull => true,
    };
    let chain = match checks_chain {
        true => Some(
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots(settings)?), Arc::clone(&provider))
                .build()
                .map_err(|e| invalid(format!("the root certificates cannot be used: {e}")))?,
        ),
        false => None,
    };
    let checks_name = settings.encryption == Encryption::VerifyFull;
    let verifier = Verifier { chain, checks_name, provider: Arc::clone(&provider) };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    match &settings.client_certificate {
        None => Ok(config.with_no_client_auth()),
        Some((certificate, key)) => config
            .with_client_auth_cert(certificates("sslcert", certificate)?, private_key(key)?)
            .map_err(|e| invalid(format!("`sslcert` and `sslkey` cannot be used together: {e}"))),
    }
}

fn roots(settings: &Settings) -> io::Result<RootCertStore> {
    let Some(given) = &settings.root_certificates else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let mut store = RootCertStore::empty();
    for certificate in certificates("sslrootcert", given)? {
        store.add(certificate).map_err(|e| invalid(format!("`sslrootcert`: {e}")))?;
    }
    Ok(store)
}

/// At least one certificate.
fn certificates(option: &str, given: &Pem) -> io::Result<Vec<CertificateDer<'static>>> {
    let text = given.read().map_err(|why| invalid(format!("`{option}`: {why}")))?;
    let found = CertificateDer::pem_slice_iter(text.reveal().as_bytes()).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|e| invalid(format!("`{option}` cannot be read: {e}")))?;
    if found.is_empty() { Err(invalid(format!("`{option}` holds no certificate"))) } else { Ok(found) }
}

fn private_key(given: &Pem) -> io::Result<PrivateKeyDer<'static>> {
    let text = given.read().map_err(|why| invalid(format!("`sslkey`: {why}")))?;
    // Both ways of PEM to encrypt a key say so in words.
    if text.reveal().contains("ENCRYPTED") {
        let way = "`openssl pkey -in client.key -out plain.key` decrypts it";
        return Err(invalid(format!(
            "`sslkey` is encrypted, and nobody is here to be asked for its passphrase; {way}"
        )));
    }
    // The parser's own words never repeat the text.
    PrivateKeyDer::from_pem_slice(text.reveal().as_bytes())
        .map_err(|e| invalid(format!("`sslkey` holds no private key that can be used: {e}")))
}

/// What broke a connection, in words. Servers refuse certificates by an alert, which says little by itself, and under TLS 1.3
/// comes only once this end believes itself connected.
pub(super) fn told(error: &io::Error) -> String {
    use AlertDescription as Alert;
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::AlertReceived(alert)) = inner else { return error.to_string() };
    match alert {
        Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::UnknownCA
        | Alert::AccessDenied
        | Alert::CertificateRequired => {
            format!("the server does not take the client certificate of `sslcert`: {error}")
        }
        _ => error.to_string(),
    }
}

/// Verifies as much of a certificate as the settings ask for.
#[derive(Debug)]
struct Verifier {
    chain: Option<Arc<WebPkiServerVerifier>>,
    checks_name: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The chain is checked before the name, so that a wrong name means a good chain.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.checks_name => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
