/**
 * <tandem-home>: while the phone network is simulated, a call to try; with a real account, how the
 * connection to Twilio is and what to do next.
 */

import { html, Page } from '../house/page.js';
import { load, session } from '../house/session.js';
import { t } from '../house/words.js';
import '../parts/bar.js';
import { failed } from '../parts/states.js';
import './connection.js';
import './demo.js';
import { Stage } from './stage.js';

export class Home extends Page {
  constructor() {
    super();
    /** @type {Stage | null} */
    this.stage = session.value?.simulator && session.value.demo_users.length ? new Stage() : null;
    this.watch(session);
  }

  #content() {
    const told = session.value;
    if (!told) return failed({ status: 0 }, () => load().then(() => location.reload(), () => {}));
    if (this.stage) {
      return html`
        <header class="hero">
          <h1>${t('home.hero')}</h1>
          <p>${t('home.lead')}</p>
        </header>
        <home-demo .stage=${this.stage}></home-demo>`;
    }
    if (told.user) return html`<home-connection></home-connection>`;
    return html`<section class="card stack welcome">
      <h1>${t('home.welcome')}</h1>
      <p>${t('home.welcome_text')}</p>
      <p><a class="button go" href="/sign-in">${t('bar.sign_in')}</a></p>
    </section>`;
  }

  render() {
    return html`
      <tandem-bar .page=${'home'} .connection=${this.stage?.feed.state ?? null}></tandem-bar>
      <main class="home">${this.#content()}</main>`;
  }
}
