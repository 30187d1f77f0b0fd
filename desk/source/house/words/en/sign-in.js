/** What the sign-in page says, in English. */
export default {
  'sign_in.title': 'Sign in',
  'sign_in.welcome': 'Take calls at your desk, or see the whole centre on the wall.',
  'sign_in.name': 'Name',
  'sign_in.password': 'Password',
  'sign_in.show': 'Show the password',
  'sign_in.submit': 'Sign in',
  'sign_in.busy': 'Signing in …',
  'sign_in.or': 'or',
  'sign_in.open_id': 'Continue with {name}',
  'sign_in.demo': 'Try it right away',
  'sign_in.demo_hint': 'The phone network is simulated, and these people exist on this machine only.',
  'sign_in.wrong': 'Name or password is wrong.',
  'sign_in.too_often': {
    one: 'Too many attempts. Please try again in a second.',
    other: 'Too many attempts. Please try again in {count} seconds.',
  },
  'sign_in.missing': 'Please give your name and your password.',
  'sign_in.open_id.unreachable': '{name} cannot be reached at the moment.',
  'sign_in.open_id.denied': 'Signing in with {name} was not allowed.',
  'sign_in.open_id.failed': 'Signing in with {name} did not work. Please try again.',
  'sign_in.open_id.unknown': '{name} knows you, but nobody here has that name. An administrator can add you.',
};
